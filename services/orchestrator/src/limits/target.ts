/** What a container should have by its own history: its remembered peak and a margin that its behaviour earns. */
import { clamp, roundDown, roundUp } from '../plan/granule.ts';
import { largest } from './history.ts';
import type { LimitObservation, LimitSettings, LimitState } from './types.ts';

export interface Target {
  readonly peakBytes: number;
  readonly marginShare: number;
  readonly guardBytes: number;
  /** What is in use plus the safety margin. */
  readonly floorBytes: number;
  readonly targetBytes: number;
  readonly leastBytes: number;
  readonly mostBytes: number;
}

export function targetOf(
  state: LimitState,
  { workingSetBytes, peakBytes: newest }: LimitObservation,
  { minimumBytes, maximumBytes, policy, tuning }: LimitSettings,
): Target {
  const mostBytes = roundDown(maximumBytes);
  const leastBytes = Math.min(roundUp(minimumBytes), mostBytes);
  const peakBytes = Math.max(newest, largest(state.history.peaks));
  const riseBytes = largest(state.history.rises);
  const marginShare = marginFor(peakBytes, riseBytes, state.observedMs, tuning);
  const guardBytes = state.scar?.guardBytes ?? 0;
  const floorBytes = roundUp(Math.max(workingSetBytes, newest) * (1 + tuning.safetyMargin));
  const highWater = policy === 'guaranteed' ? state.history.highWaterBytes * (1 + tuning.safetyMargin) : 0;
  const wanted = Math.max(peakBytes * (1 + marginShare), guardBytes, highWater);
  return {
    peakBytes,
    marginShare,
    guardBytes,
    floorBytes,
    targetBytes: clamp(roundUp(Math.max(wanted, floorBytes)), leastBytes, mostBytes),
    leastBytes,
    mostBytes,
  };
}

function marginFor(
  peakBytes: number,
  riseBytes: number,
  observedMs: number,
  tuning: LimitSettings['tuning'],
): number {
  const rise = peakBytes > 0 ? Math.min((tuning.riseShare * riseBytes) / peakBytes, tuning.mostRise) : 0;
  const widening = 1 + tuning.wideningMs / Math.max(observedMs, tuning.coldStartMs, 1);
  return tuning.baseMargin * widening + rise;
}
