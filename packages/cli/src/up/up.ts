/** `nautilus up`: everything on this machine, with the demo on real input, until Ctrl-C or the end of a check. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { loadServiceConfig } from '@nautilus/kit';
import { gatherEvidence } from './check.ts';
import { Screen } from './screen.ts';
import { Stack } from './stack.ts';
import { failed, judge, type Verdict } from './verdict.ts';

export interface UpOptions {
  /** No terminal: run for a while, verify, print one JSON object. */
  readonly check: boolean;
  readonly seconds: number;
  readonly config: string | null;
}

export async function up(options: UpOptions): Promise<number> {
  const shutdown = shutdownSignal();
  const screen = new Screen(process.stdout, process.stderr, {
    isLive: !options.check && process.stdout.isTTY === true,
  });
  let verdict: Verdict | null = null;
  let problems: readonly string[] = [];
  let code = 0;
  let stack: Stack | null = null;
  try {
    stack = createStack(options, screen, shutdown);
    await stack.start();
    if (options.check) verdict = judge(await gatherEvidence(stack, options.seconds, shutdown));
    else await screen.show(stack, shutdown);
  } catch (error) {
    const reason = shutdown.aborted ? `stopped by ${String(shutdown.reason)}` : messageOf(error);
    screen.say(reason);
    verdict = failed(reason);
    code = shutdown.aborted && !options.check ? 0 : 1;
  }
  screen.leave();
  if (stack !== null) {
    screen.say('draining …');
    problems = await stack.stop();
    for (const problem of problems) screen.say(problem);
    screen.say(problems.length === 0 ? 'stopped; nothing is left behind' : 'stopped');
  }
  if (options.check) {
    const found = verdict ?? failed('nothing was verified');
    const result = {
      ...found,
      ok: found.ok && problems.length === 0,
      problems: [...found.problems, ...problems],
    };
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return result.ok ? 0 : 1;
  }
  return problems.length > 0 ? 1 : code;
}

function createStack(options: UpOptions, screen: Screen, signal: AbortSignal): Stack {
  const named = options.config ?? (process.env['NAUTILUS_CONFIG'] || null);
  const file = named ?? (existsSync('nautilus.yaml') ? 'nautilus.yaml' : null);
  const configFile = file === null ? null : resolve(file);
  const config = loadServiceConfig({
    argv: configFile === null ? [] : ['--config', configFile],
    env: process.env,
    cwd: process.cwd(),
  });
  if (!config.ok) throw new Error(config.fault.message);
  return new Stack({
    config: config.value,
    configFile,
    natsUrl: process.env['NATS_URL'] || null,
    say: (text) => screen.say(text),
    signal,
  });
}

function shutdownSignal(): AbortSignal {
  const controller = new AbortController();
  // The children have groups of their own: leaving at a second request would leave them behind, and every step of the
  // drain has a deadline.
  const stop = (name: NodeJS.Signals) => controller.abort(name);
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) process.on(name, stop);
  return controller.signal;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
