/** What the planner reads and what it answers. Bytes and Unix milliseconds are plain safe integers. */
import type { ContainerSpec, PlannedBudget } from '@nautilus/contracts';

/** A container as its agent last reported it, and the budget that the last plan gave it. */
export interface ContainerState {
  readonly name: string;
  readonly spec: ContainerSpec;
  readonly leasedBytes: number;
  readonly liveBytes: number;
  readonly highWaterBytes: number;
  readonly refusedBytes: number;
  /** The budget that the agent obeys now. */
  readonly budgetBytes: number;
  readonly connected: boolean;
  readonly at: number;
  /** Null before the first plan. */
  readonly desired: { readonly budgetBytes: number; readonly decidedAt: number } | null;
}

export interface HostSnapshot {
  readonly host: string;
  readonly grantableBytes: number;
  /** Ended leases that readers still map: nobody can have these bytes yet. */
  readonly lingeringBytes: number;
  readonly at: number;
  readonly containers: readonly ContainerState[];
}

export interface PlanPolicy {
  /** Share of what a container holds that its budget has on top. */
  readonly headroom: number;
  /** A budget that would change by less than this share of itself stays. */
  readonly deadBand: number;
  readonly staleAfterMs: number;
  /** A budget younger than this is not lowered while the host has room: whoever was just given bytes needs time to take them. */
  readonly settleMs: number;
}

export interface PlannedHost {
  readonly capacityBytes: number;
  readonly plannedBytes: number;
  /** In order of their names. */
  readonly budgets: readonly PlannedBudget[];
  /** Why nothing changes, or null. */
  readonly frozen: string | null;
}
