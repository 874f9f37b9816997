/** The command line as a function: what `main` does, without the process, so that tests call it as a person would. */
import { type Fault, fail, NautilusError } from '@nautilus/contracts';
import { findConnection } from './connection/connection.ts';
import { Call } from './line/call.ts';
import type { Command } from './line/command.ts';
import { exitCodeOf, exitCodes } from './line/exit-codes.ts';
import { renderHelp, renderOverview } from './line/help.ts';
import { type Parsed, parseLine } from './line/parse.ts';
import type { Surroundings } from './line/surroundings.ts';
import { readConfig } from './run-config.ts';

/** Answers the exit code. */
export async function runCommandLine(
  commands: readonly Command[],
  line: readonly string[],
  surroundings: Surroundings,
): Promise<number> {
  const columns = Math.min(surroundings.stdout.columns ?? 80, 100);
  const isJson = line.includes('--json');
  const [first] = line;
  if (
    first === undefined ||
    first === '--help' ||
    first === '-h' ||
    (first === 'help' && line.length === 1)
  ) {
    surroundings.stdout.write(`${renderOverview(commands, columns)}\n`);
    return first === undefined ? exitCodes.usage.code : exitCodes.done.code;
  }
  const parsed = parseLine(commands, first === 'help' ? [...line.slice(1, 2), '--help'] : line);
  if (!parsed.ok) return report(parsed.fault, surroundings, isJson);
  if (parsed.value.isHelp) {
    surroundings.stdout.write(`${renderHelp(parsed.value.command, columns)}\n`);
    return exitCodes.done.code;
  }
  try {
    return await parsed.value.command.run(callOf(parsed.value, surroundings));
  } catch (error) {
    if (surroundings.signal.aborted) return exitCodes.interrupted.code;
    if (error instanceof NautilusError) return report(error.toFault(), surroundings, isJson);
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return report(fail('internal', text).fault, surroundings, isJson);
  }
}

function callOf(parsed: Parsed, surroundings: Surroundings): Call {
  const text = (name: string) => {
    const value = parsed.values[name];
    return typeof value === 'string' ? value : null;
  };
  const { env, cwd } = surroundings;
  const connection = () =>
    findConnection({
      nats: text('nats'),
      seed: text('seed'),
      join: text('join'),
      host: text('host'),
      env,
      cwd,
      config: () => readConfig(text('config'), surroundings).config,
    });
  return new Call({ parsed, surroundings, connection });
}

function report(fault: Fault, { stderr }: Surroundings, isJson: boolean): number {
  stderr.write(isJson ? `${JSON.stringify({ error: fault })}\n` : `nautilus: ${fault.message}\n`);
  return exitCodeOf(fault.code);
}
