/** What the limit policy reads, remembers and answers for one container. Plain data: bytes, and milliseconds as integers. */
import { type Policy, type ResizeContract, resizeContracts } from '@nautilus/contracts';

/** A runtime that sizes its heap when it starts gains nothing from a raise and dies of a cut (`at-start`). */
export { type ResizeContract, resizeContracts };

/** One step as the agent saw it. Counts are since the step before. */
export interface LimitObservation {
  /** Unix ms at which it was taken. */
  readonly at: number;
  /** Without page cache that can be dropped. */
  readonly workingSetBytes: number;
  /** The largest working set since the step before. */
  readonly peakBytes: number;
  /** The limit in force, read back from the kernel. */
  readonly limitBytes: number;
  readonly oomKills: number;
  /** Times that it was held at its limit and lived: throttled, or refused memory. */
  readonly stalls: number;
  /** The container has started since the step before. */
  readonly started: boolean;
  /** The first step after the controller itself has started. */
  readonly controllerRestarted: boolean;
}

/** A range of limits in which the container suffered. */
export interface Scar {
  /** The least limit that it may be given while this is remembered. */
  readonly guardBytes: number;
  /** Halves with every half-life; below `forgottenWeight` the scar is gone. */
  readonly weight: number;
  /** In observed time, like every age in the state. */
  readonly atMs: number;
}

/** The past in buckets of `bucketMs`, the current one last; at most as many as cover `peakMs`. */
export interface LimitHistory {
  /** Largest working set. */
  readonly peaks: readonly number[];
  /** Largest rise within `riseMs` that ended there. */
  readonly rises: readonly number[];
  readonly bucketStartMs: number;
  /** Lowest working set of the stretch of `riseMs` before the current one, and of the current one. */
  readonly lowBeforeBytes: number;
  readonly lowBytes: number;
  readonly lowStartMs: number;
  /** Of its whole life. */
  readonly highWaterBytes: number;
}

/** Bounded, and plain JSON: it is the checkpoint. */
export interface LimitState {
  /** Of the newest observation, in Unix ms. */
  readonly at: number;
  /**
   * The clock of the policy: time that was covered by observations. Suspends, gaps and clocks that jump do not age what
   * it remembers.
   */
  readonly observedMs: number;
  /** What it asked for last. */
  readonly limitBytes: number;
  /** When the limit last moved, or the policy lost sight of the container. */
  readonly changedAtMs: number;
  /** That move was not asked for here: a person, or another controller. */
  readonly foreign: boolean;
  readonly history: LimitHistory;
  readonly scar: Scar | null;
  /** Steps that must still pass before anything changes. */
  readonly quietSteps: number;
}

export interface LimitSettings {
  readonly minimumBytes: number;
  readonly maximumBytes: number;
  readonly policy: Policy;
  readonly resize: ResizeContract;
  readonly tuning: LimitTuning;
}

/** Shares are of 1. Every number that could be argued about is here, and the bench sweeps them. */
export interface LimitTuning {
  /** Kept above what is in use by every limit, whatever the model says. */
  readonly safetyMargin: number;
  /** Above the peak, for a container that never moves. */
  readonly baseMargin: number;
  /**
   * Added: this share of the largest remembered rise within `riseMs`, at most `mostRise` of the peak. Whatever made the
   * container grow in one jump can come again when it is at its peak.
   */
  readonly riseShare: number;
  readonly riseMs: number;
  readonly mostRise: number;
  /** The base margin is 1 + this ÷ (observed time) times as wide: what was watched briefly has not shown its peak. */
  readonly wideningMs: number;
  /** The limit is the maximum until this much was observed. */
  readonly coldStartMs: number;
  readonly bucketMs: number;
  /** How long a peak and a rise count. */
  readonly peakMs: number;
  /** A raise below this share of the limit is not made, unless the safety margin is touched. */
  readonly raiseBand: number;
  readonly lowerBand: number;
  /** Nothing is lowered so soon after the limit moved. */
  readonly coolDownMs: number;
  /** The most that one step takes away. */
  readonly mostCut: number;
  /** After an OOM kill or a stall: usage times this, at least `bumpBytes` more. */
  readonly bump: number;
  readonly bumpBytes: number;
  readonly scarHalfLifeMs: number;
  readonly killWeight: number;
  readonly stallWeight: number;
  readonly forgottenWeight: number;
  /** Observed time advances by at most this in one step. */
  readonly mostGapMs: number;
  readonly staleAfterMs: number;
  readonly quietSteps: number;
}

/** Why the limit is what it is. */
export type LimitVerdict =
  | 'cold-start'
  | 'raise'
  | 'lower'
  | 'steady'
  | 'dead-band'
  | 'cool-down'
  | 'contract'
  | 'stale'
  | 'controller-restarted'
  | 'over-maximum';

export interface LimitReason {
  readonly verdict: LimitVerdict;
  /** One line for a person. */
  readonly words: string;
  readonly numbers: LimitNumbers;
}

export interface LimitNumbers {
  readonly workingSetBytes: number;
  /** The peak that is remembered, and how much of the past was observed. */
  readonly peakBytes: number;
  readonly observedMs: number;
  readonly marginShare: number;
  /** What the container should have, before bands, cool-down and contract. */
  readonly targetBytes: number;
  /** Use plus the safety margin: no limit goes below. */
  readonly floorBytes: number;
  /** Of a range that hurt; 0 for none. */
  readonly guardBytes: number;
  /** What a burstable container would take beyond its limit, if the host has it idle. */
  readonly loanBytes: number;
}

export interface LimitDecision {
  readonly state: LimitState;
  readonly limitBytes: number;
  readonly reason: LimitReason;
  readonly changed: boolean;
}
