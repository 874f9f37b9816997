/** What a benchmark over recorded series may be told: the recording, and whether a machine reads the answer. */
import { parseArgs } from 'node:util';

export interface Options {
  readonly json: boolean;
  readonly data: string;
}

export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const usage = (command: string) =>
  `usage: npm run ${command} -- --data FILE [--json]\n` +
  'FILE is a CSV, or one packed with xz, with the columns value (0 to 1 of the limit), timestamp_anon (seconds), ' +
  'container_ip. No recording comes with this repository: the one it was tuned on is published for research only.';

/** `command` is the script of package.json, for the usage. */
export function parseOptions(command: string, words: readonly string[]): Options {
  const { json, data } = parsed(command, words);
  if (data === undefined || data === '') throw new UsageError(`--data is missing\n${usage(command)}`);
  return { json, data };
}

function parsed(command: string, words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      options: { json: { type: 'boolean', default: false }, data: { type: 'string' } },
    }).values;
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n${usage(command)}`);
  }
}
