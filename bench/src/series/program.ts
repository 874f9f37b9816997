/** A benchmark over recorded series as a program: tables or one JSON array; 1 for a missed goal, 2 for bad input. */
import { type Figure, renderTable } from '../figure.ts';
import { parseOptions, UsageError } from './options.ts';
import { DataError } from './series.ts';

export interface BenchResult {
  readonly figures: readonly Figure[];
  /** Tables for people. */
  readonly text: string;
}

/** Returns the exit code. */
export function runProgram(
  command: string,
  words: readonly string[],
  run: (file: string) => BenchResult,
): number {
  try {
    const options = parseOptions(command, words);
    const { figures, text } = run(options.data);
    const goals = figures.filter((figure) => figure.goal !== undefined);
    console.log(options.json ? JSON.stringify(figures) : `${text}\n\n${renderTable(goals)}`);
    return goals.some((figure) => figure.ok === false) ? 1 : 0;
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof DataError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
}
