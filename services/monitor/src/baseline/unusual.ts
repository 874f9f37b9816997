/** Whether a figure is unusual for its hour, in words that a person can check. */
import { type BaselineObservation, type BaselineState, readBaseline } from './baseline.ts';

export interface Unusual {
  /** Null while not enough is known, or the figure was not measured. */
  readonly isUnusual: boolean | null;
  readonly reason: string;
}

/**
 * Four spreads: memory is not normally distributed, so this is a distance and no probability. The spread counts as at
 * least `leastSpread` (unit of the figure) and a fiftieth of the mean, or a figure that never moved could not move once.
 */
const mostSpreads = 4;
const leastShare = 0.02;

export function isUnusual(state: BaselineState, seen: BaselineObservation, leastSpread = 0): Unusual {
  if (!Number.isFinite(seen.value)) return { isUnusual: null, reason: 'it was not measured' };
  const { basis, mean, spread, visits } = readBaseline(state, seen);
  if (basis === 'none') {
    const reason = `cold: ${visits} such hours were seen; 2 of this weekday or 3 of any day are needed`;
    return { isUnusual: null, reason };
  }
  const unit = Math.max(spread, leastSpread, leastShare * Math.abs(mean));
  // Nothing but zero was ever seen, and nothing was said of what is small.
  if (unit === 0 && seen.value !== mean) {
    return {
      isUnusual: true,
      reason: `${seen.value}, where nothing but ${mean} was seen in ${visits} hours`,
    };
  }
  const distance = unit === 0 ? 0 : (seen.value - mean) / unit;
  const kind = basis === 'hour-of-week' ? 'this hour of this weekday' : 'this hour of any day';
  const words = `${Math.abs(distance).toFixed(1)} spreads ${distance < 0 ? 'below' : 'above'} the mean ${mean.toPrecision(4)}`;
  return {
    isUnusual: Math.abs(distance) > mostSpreads,
    reason: `${words} of ${kind}, from ${visits} hours; ${mostSpreads} are usual`,
  };
}
