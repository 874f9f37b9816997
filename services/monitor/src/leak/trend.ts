/** Robust trends of a floor: slopes and levels that a single odd point cannot move. */
import { hourMs } from './rule.ts';

/** A level of memory at a time in ms. */
export interface Level {
  readonly at: number;
  readonly bytes: number;
}

export function median(values: readonly number[]): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** Median of the slopes between all pairs (Theil 1950, Sen 1968), bytes per hour. */
export function theilSen(points: readonly Level[]): number {
  const slopes: number[] = [];
  for (const [index, from] of points.entries()) {
    for (const to of points.slice(index + 1)) {
      if (to.at > from.at) slopes.push(((to.bytes - from.bytes) / (to.at - from.at)) * hourMs);
    }
  }
  return median(slopes);
}

/** Scatter around that trend as the standard deviation that a normal one would have: 1.4826 × MAD, bytes. */
export function noiseOf(points: readonly Level[], slope: number): number {
  const rests = points.map(({ at, bytes }) => bytes - (slope * at) / hourMs);
  const centre = median(rests);
  return 1.4826 * median(rests.map((rest) => Math.abs(rest - centre)));
}

/**
 * The trough of each of `count` equal parts of the time from `from` to `to`, at the time when it was reached; null if a part
 * lacks half of its buckets, as nothing is known about what was not seen.
 */
export function troughs(
  floors: readonly Level[],
  { from, to, count, bucketMs }: { from: number; to: number; count: number; bucketMs: number },
): readonly Level[] | null {
  const lengthMs = (to - from) / count;
  const parts = Array.from({ length: count }, (): { lowest: Level | null; seen: number } => ({
    lowest: null,
    seen: 0,
  }));
  for (const floor of floors) {
    const part = parts[Math.min(count - 1, Math.floor((floor.at - from) / lengthMs))];
    if (part === undefined) continue;
    if (part.lowest === null || floor.bytes < part.lowest.bytes) part.lowest = floor;
    part.seen += 1;
  }
  const isWhole = parts.every(({ seen }) => seen * bucketMs * 2 >= lengthMs);
  return isWhole ? parts.flatMap(({ lowest }) => lowest ?? []) : null;
}
