/**
 * What is kept of a container to tell whether it leaks, and what is concluded: a verdict that carries its evidence, because
 * a restart may follow from it.
 */

export interface LeakObservation {
  /** Unix ms. */
  readonly at: number;
  /**
   * What the container cannot give back: anonymous memory, or a working set. The page cache is not need, and makes every
   * reader of files look like a leak. NaN when it was not measured.
   */
  readonly valueBytes: number;
  /** Its own limit, or what its host has; null when neither is known, and then nothing is confirmed. */
  readonly limitBytes: number | null;
  /** Of whatever the container serves, if it says so. */
  readonly loadPerSecond?: number | undefined;
  /** Unix ms; another value is another life, which begins without a past. */
  readonly startedAt?: number | undefined;
}

/** The lowest reading of one bucket of time. */
export interface Floor {
  /** Middle of the readings; ms on the clock of the state, which never goes back. */
  readonly at: number;
  readonly bytes: number;
  /** Mean over the bucket; null unless every reading had one. */
  readonly loadPerSecond: number | null;
}

export interface OpenBucket {
  readonly serial: number;
  readonly fromAt: number;
  readonly toAt: number;
  readonly lowestBytes: number;
  readonly readings: number;
  readonly loadSum: number;
  readonly loads: number;
}

export type LeakVerdict = 'none' | 'suspected' | 'confirmed';

export interface LeakEvidence {
  /** Theil-Sen slope of the floor over the window that speaks, without the part that load explains; null when unknown. */
  readonly floorRiseBytesPerHour: number | null;
  readonly floorPoints: number;
  /** Parts of that window, and the share of the steps between them that rose. */
  readonly windows: number;
  readonly consistentShare: number;
  /** Length of that window. */
  readonly spanMs: number;
  /** At that slope, from the newest floor, at mean load if load is taken out; null when nothing rises or no limit is known. */
  readonly timeToLimitMs: number | null;
  /** Whether the effect of load was taken out. */
  readonly loadNormalised: boolean;
}

export interface LeakJudgement {
  readonly verdict: LeakVerdict;
  readonly evidence: LeakEvidence;
  /** For people. */
  readonly reason: string;
  /** Floor at the beginning of the rise, bytes: what a restart should bring back. Null while nothing rises. */
  readonly healthyLevelBytes: number | null;
}

/** Plain JSON, bounded by the longest window: it is the checkpoint. */
export interface LeakState {
  readonly startedAt: number | null;
  readonly limitBytes: number | null;
  /** Oldest first. */
  readonly floors: readonly Floor[];
  readonly open: OpenBucket | null;
  /** Newest reading, Unix ms. */
  readonly seenAt: number | null;
  /** What was added to the wall clock whenever it went back, so that time here does not. */
  readonly offsetMs: number;
  /** Since when it is suspected without a break; ms on the clock of the state. */
  readonly suspectedAt: number | null;
  /** Of the newest whole bucket; null before the first. */
  readonly judgement: LeakJudgement | null;
}

export const noLeak: LeakState = {
  startedAt: null,
  limitBytes: null,
  floors: [],
  open: null,
  seenAt: null,
  offsetMs: 0,
  suspectedAt: null,
  judgement: null,
};
