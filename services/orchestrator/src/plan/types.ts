/** What the planner reads and what it answers. Bytes and Unix milliseconds are plain safe integers. */
import type {
  ContainerForecast,
  ContainerSpec,
  ObservedKernel,
  PlannedBudget,
  RememberedContainer,
} from '@nautilus/contracts';
import type { LimitTuning } from '../limits/types.ts';

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
  readonly desired: DesiredState | null;
  /** What the kernel charges to it; absent: budgets follow its leases alone. */
  readonly kernel?: ObservedKernel | undefined;
  readonly forecast?: ContainerForecast | undefined;
  /** What the planner remembers of it; absent: it was never seen through a kernel. */
  readonly remembered?: RememberedContainer | undefined;
  /** OOM kills that were told since the round before. A new life of a container counts from zero and hides them. */
  readonly toldOomKills?: number | undefined;
}

export interface DesiredState {
  readonly budgetBytes: number;
  readonly decidedAt: number;
  readonly ceilingBytes?: number | undefined;
  readonly replacedBytes?: number | undefined;
}

export interface HostSnapshot {
  readonly host: string;
  readonly grantableBytes: number;
  /** Ended leases that readers still map: nobody can have these bytes yet. */
  readonly lingeringBytes: number;
  readonly at: number;
  readonly containers: readonly ContainerState[];
  /** The controller has just started: what has a budget keeps it. */
  readonly quiet?: boolean | undefined;
}

export interface PlanPolicy {
  /** Share of what a container holds that its budget has on top. */
  readonly headroom: number;
  /** A budget that would change by less than this share of itself stays. */
  readonly deadBand: number;
  readonly staleAfterMs: number;
  /** A budget younger than this is not lowered while the host has room: whoever was just given bytes needs time to take them. */
  readonly settleMs: number;
  /** Share of the host that is not lent, so that a raise need not wait until a borrower has given back. */
  readonly idleReserve: number;
  readonly tuning: LimitTuning;
}

export interface PlannedHost {
  readonly capacityBytes: number;
  readonly plannedBytes: number;
  /** In order of their names. */
  readonly budgets: readonly PlannedBudget[];
  /** Why nothing changes, or null. */
  readonly frozen: string | null;
}

export interface PlanDecision {
  readonly plan: PlannedHost;
  /** By container: what to remember for the next round. */
  readonly remembered: ReadonlyMap<string, RememberedContainer>;
  /** An increase waits until decreases are reported. */
  readonly isHeld: boolean;
}
