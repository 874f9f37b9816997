/** What `npm run bench:alloc` may be told. */
import { parseArgs } from 'node:util';

export const partNames = ['cpp', 'node'] as const;
export type PartName = (typeof partNames)[number];

export interface Options {
  readonly json: boolean;
  /** Fewer repetitions and live blocks, to see that everything runs; figures of the C++ part in other sizes have no goals. */
  readonly quick: boolean;
  /** Files beside the recorded ones. */
  readonly traces: readonly string[];
  readonly parts: readonly PartName[];
}

export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const usage = 'usage: npm run bench:alloc -- [--json] [--quick] [--trace FILE]... [--only cpp|node]';

export function parseOptions(words: readonly string[]): Options {
  const { json, quick, trace, only } = parsed(words);
  const part = partNames.find((name) => name === only);
  if (only !== undefined && part === undefined) throw new UsageError(`--only ${only} is unknown\n${usage}`);
  return { json, quick, traces: trace, parts: part === undefined ? partNames : [part] };
}

function parsed(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      options: {
        json: { type: 'boolean', default: false },
        quick: { type: 'boolean', default: false },
        trace: { type: 'string', multiple: true, default: [] },
        only: { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
  }
}
