/** The parts of `npm run bench:alloc`. A new one is a function and a line here. */
import type { Figure } from '../figure.ts';
import { benchCpp } from './cpp.ts';
import { HarnessError } from './harness.ts';
import { benchNode } from './node.ts';
import { type Options, type PartName, UsageError } from './options.ts';
import { TraceInputError } from './trace-input.ts';

type Part = (options: Options) => Promise<Figure[]>;

const parts: Record<PartName, Part> = { cpp: benchCpp, node: benchNode };

export async function runParts(options: Options): Promise<Figure[]> {
  const chosen = options.parts.flatMap((name) => parts[name] ?? []);
  if (chosen.length === 0) throw new UsageError(`there is no part ${options.parts.join(', ')}`);
  const figures: Figure[] = [];
  for (const part of chosen) figures.push(...(await part(options)));
  return figures;
}

/** Errors that a person can act on; any other one is ours and keeps its stack. */
export function isExplained(error: unknown): error is Error {
  return error instanceof UsageError || error instanceof HarnessError || error instanceof TraceInputError;
}
