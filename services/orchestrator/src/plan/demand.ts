/** What one container must keep, and what it should have, from what its agent reported. */
import { clamp, roundDown, roundUp } from './granule.ts';
import { floorRank, priorityRank } from './rank.ts';
import type { ContainerState, PlanPolicy } from './types.ts';

export interface Demand {
  readonly state: ContainerState;
  /** minimum ≤ floor ≤ want ≤ maximum, each a whole number of granules. */
  readonly minimumBytes: number;
  /** What it holds already, or what it was guaranteed: less than this means that it is cut. */
  readonly floorBytes: number;
  readonly wantBytes: number;
  readonly maximumBytes: number;
  readonly floorRank: number;
  readonly priorityRank: number;
}

export function demandOf(state: ContainerState, policy: PlanPolicy): Demand {
  const { spec } = state;
  // The agent scales specifications to whole granules; rounding inward keeps any other one inside its own limits.
  const maximumBytes = roundDown(spec.maximumBytes);
  const minimumBytes = Math.min(roundUp(spec.minimumBytes), maximumBytes);
  const kept = keptBytes(state);
  const floorBytes = clamp(roundUp(kept), minimumBytes, maximumBytes);
  const wished = kept * (1 + policy.headroom) + state.refusedBytes;
  return {
    state,
    minimumBytes,
    floorBytes,
    wantBytes: clamp(roundUp(wished), floorBytes, maximumBytes),
    maximumBytes,
    floorRank: floorRank(spec),
    priorityRank: priorityRank(spec.priority),
  };
}

/** Guaranteed means that the most it ever held stays its own, also while it holds less. */
export function keptBytes(state: ContainerState): number {
  return state.spec.policy === 'guaranteed'
    ? Math.max(state.leasedBytes, state.highWaterBytes)
    : state.leasedBytes;
}
