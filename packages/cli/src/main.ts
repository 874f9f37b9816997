#!/usr/bin/env node
/** `nautilus`: the command. What it can do is the registry. */
import { processSurroundings } from './line/surroundings.ts';
import { commands } from './registry.ts';
import { runCommandLine } from './run.ts';

const interruption = new AbortController();
// Once: a second Ctrl-C ends a command at once. `up` listens for itself, because it has children to stop in order.
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interruption.abort(name));
// A reader such as `head` may close the pipe: that is no failure of this command.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

process.exitCode = await runCommandLine(
  commands,
  process.argv.slice(2),
  processSurroundings(interruption.signal),
);
process.stdout.write('', () => process.exit());
