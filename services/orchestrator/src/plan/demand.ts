/** What one container must keep, and what it should have: by its leases, or by what the kernel charges to it. */
import { decideLimit } from '../limits/decide.ts';
import { parseObservation } from '../limits/parse.ts';
import type { LimitDecision } from '../limits/types.ts';
import { clamp, roundDown, roundUp } from './granule.ts';
import { observationOf } from './observe.ts';
import { type Outlook, outlookOf } from './outlook.ts';
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
  /** What it would borrow beyond, from what is idle. */
  readonly loanBytes: number;
  readonly floorRank: number;
  readonly priorityRank: number;
  /** Null: the budget follows its leases. */
  readonly limit: LimitBasis | null;
}

export interface LimitBasis {
  readonly decision: LimitDecision;
  readonly outlook: Outlook;
}

export function demandOf(state: ContainerState, policy: PlanPolicy, now: number): Demand {
  const { spec } = state;
  // The agent scales specifications to whole granules; rounding inward keeps any other one inside its own limits.
  const maximumBytes = roundDown(spec.maximumBytes);
  const minimumBytes = Math.min(roundUp(spec.minimumBytes), maximumBytes);
  const limit = basisOf(state, policy, minimumBytes, maximumBytes, now);
  const [floor, want] = limit === null ? byLeases(state, policy) : byKernel(state, limit, policy);
  const floorBytes = clamp(roundUp(floor), minimumBytes, maximumBytes);
  const wantBytes = clamp(roundUp(want), floorBytes, maximumBytes);
  const isBorrower = limit !== null && spec.policy === 'burstable' && spec.resize === 'any-time';
  return {
    state,
    minimumBytes,
    floorBytes,
    wantBytes,
    maximumBytes,
    loanBytes: isBorrower ? maximumBytes - wantBytes : 0,
    floorRank: floorRank(spec),
    priorityRank: priorityRank(spec.priority),
    limit,
  };
}

/** Guaranteed means that the most it ever held stays its own, also while it holds less. */
export function keptBytes(state: ContainerState): number {
  return state.spec.policy === 'guaranteed'
    ? Math.max(state.leasedBytes, state.highWaterBytes)
    : state.leasedBytes;
}

function byLeases(state: ContainerState, policy: PlanPolicy): [floor: number, want: number] {
  const kept = keptBytes(state);
  return [kept, kept * (1 + policy.headroom) + state.refusedBytes];
}

/** A range that hurt counts as held: whoever is cut into it is killed again. */
function byKernel(
  state: ContainerState,
  { decision, outlook }: LimitBasis,
  { tuning }: PlanPolicy,
): [floor: number, want: number] {
  const { floorBytes, guardBytes } = decision.reason.numbers;
  const isGuaranteed = state.spec.policy === 'guaranteed';
  const highWater = isGuaranteed ? decision.state.history.highWaterBytes * (1 + tuning.safetyMargin) : 0;
  const floor = Math.max(floorBytes, guardBytes, highWater, keptBytes(state));
  const foreseen = state.spec.resize === 'at-start' ? 0 : outlook.peakBytes * (1 + tuning.baseMargin);
  // A lease that was refused is demand that no working set shows.
  return [floor, Math.max(decision.limitBytes, foreseen, floor) + state.refusedBytes];
}

function basisOf(
  state: ContainerState,
  { tuning }: PlanPolicy,
  minimumBytes: number,
  maximumBytes: number,
  now: number,
): LimitBasis | null {
  const found = observationOf(state);
  if (found === null) return null;
  const observation = parseObservation(found, state.name);
  if (!observation.ok) return null;
  const { policy, resize } = state.spec;
  const settings = { minimumBytes, maximumBytes, policy, resize, tuning };
  const decision = decideLimit(state.remembered?.limit ?? null, observation.value, settings, now);
  return { decision, outlook: outlookOf(state.forecast, policy, now) };
}
