/** The halves of a recording: numbers are chosen on one, and judged on the other, which no choice has seen. */
import { DataError, type Part, partOf, readSeries, type Series } from './series.ts';

/** Printed above every table, because only in one recording was one half ever looked at. */
export const splitNote =
  'The halves are split by a hash of the name. Numbers were chosen on "tuning" alone, of the recording that the guides ' +
  'name; the holdout was run for the report. Of any other file both halves are unseen.';

/** Both halves, each with at least one series of that many points, or an error that says what is lacking. */
export function readParts(file: string, leastPoints: number): ReadonlyMap<Part, readonly Series[]> {
  const series = readSeries(file);
  const parts = new Map<Part, readonly Series[]>();
  for (const part of ['tuning', 'holdout'] as const) {
    const half = series.filter(({ id }) => partOf(id) === part);
    if (!half.some(({ atMs }) => atMs.length >= leastPoints)) {
      throw new DataError(
        `${file}: of its ${half.length} containers in the half ${part}, none has ${leastPoints} samples; record longer, or more`,
      );
    }
    parts.set(part, half);
  }
  return parts;
}
