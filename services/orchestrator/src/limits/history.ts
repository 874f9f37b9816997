/** What the policy remembers of a container's use: its peaks, and how fast it rose to them. */
import type { LimitHistory, LimitObservation, LimitTuning } from './types.ts';

export function firstHistory({ workingSetBytes, peakBytes }: LimitObservation): LimitHistory {
  return {
    peaks: [peakBytes],
    rises: [0],
    bucketStartMs: 0,
    lowBeforeBytes: workingSetBytes,
    lowBytes: workingSetBytes,
    lowStartMs: 0,
    highWaterBytes: peakBytes,
  };
}

/** `observedMs` is the clock after this observation. A step is never longer than a bucket, so none is skipped. */
export function remember(
  history: LimitHistory,
  { workingSetBytes, peakBytes }: LimitObservation,
  observedMs: number,
  { bucketMs, peakMs, riseMs }: LimitTuning,
): LimitHistory {
  const { peaks, rises, bucketStartMs, lowBeforeBytes, lowBytes, lowStartMs, highWaterBytes } = history;
  const riseBytes = Math.max(0, peakBytes - Math.min(lowBeforeBytes, lowBytes));
  const isNewBucket = observedMs - bucketStartMs >= bucketMs;
  const isNewLow = observedMs - lowStartMs >= riseMs;
  const most = bucketCount(peakMs, bucketMs);
  return {
    peaks: isNewBucket ? appended(peaks, peakBytes, most) : raised(peaks, peakBytes),
    rises: isNewBucket ? appended(rises, riseBytes, most) : raised(rises, riseBytes),
    bucketStartMs: isNewBucket ? observedMs : bucketStartMs,
    lowBeforeBytes: isNewLow ? lowBytes : lowBeforeBytes,
    lowBytes: isNewLow ? workingSetBytes : Math.min(lowBytes, workingSetBytes),
    lowStartMs: isNewLow ? observedMs : lowStartMs,
    highWaterBytes: Math.max(highWaterBytes, peakBytes),
  };
}

/** The current bucket is only begun, so one more than fits covers the whole stretch. */
export function bucketCount(durationMs: number, bucketMs: number): number {
  return Math.ceil(durationMs / bucketMs) + 1;
}

export function largest(buckets: readonly number[]): number {
  let most = 0;
  for (const bucket of buckets) if (bucket > most) most = bucket;
  return most;
}

function appended(buckets: readonly number[], value: number, most: number): readonly number[] {
  const kept = buckets.length >= most ? buckets.slice(buckets.length - most + 1) : buckets.slice();
  kept.push(value);
  return kept;
}

/** The current bucket holds the largest value that fell into it. */
function raised(buckets: readonly number[], value: number): readonly number[] {
  if (value <= (buckets[buckets.length - 1] ?? 0)) return buckets;
  const copy = buckets.slice();
  copy[copy.length - 1] = value;
  return copy;
}
