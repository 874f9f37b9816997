/** What the ladder engine keeps and is told: the shapes that every signal shares. */
import type { Tier } from '@nautilus/contracts';

export interface LadderSettings {
  /** Value at which a tier is raised, rising with the tier. A signal without a tier leaves it out. */
  readonly steps: Readonly<Partial<Record<Tier, number>>>;
  /** A tier can only clear below its step minus this, in the unit of the value. */
  readonly gap: number;
  readonly raiseHoldMs: number;
  readonly clearHoldMs: number;
  /** Readings further apart than this say nothing of the time between them; 5 seconds when not given. */
  readonly longestGapMs?: number;
  readonly flap?: FlapSettings;
}

/**
 * A value that comes back soon after its tier was left is flapping, and stays raised longer every time: what flaps is
 * told once and kept in sight, rather than told again and again or silenced.
 */
export interface FlapSettings {
  /** Seen time after a tier was left during which a raise counts as coming back. */
  readonly withinMs: number;
  /** Every return doubles the clear hold, up to this. */
  readonly longestClearHoldMs: number;
}

export interface Reading {
  /** NaN when it was not measured. */
  readonly value: number;
  /** Milliseconds on one time axis for all readings of a ladder. */
  readonly at: number;
  /** Names an incident that would begin with this reading; `at` when not given. */
  readonly opens?: string;
}

export interface Incident {
  /** The same from the first raise to the clearing, so that every step of an incident is told under one name. */
  readonly key: string;
  /** Transitions so far. */
  readonly transitions: number;
}

/** Milliseconds for which a condition was seen to hold, by tier; absent while it does not hold. */
export type HoldTimers = Readonly<Partial<Record<Tier, number>>>;

export interface LadderState {
  readonly tier: Tier | null;
  readonly incident: Incident | null;
  /** At or above the step. */
  readonly above: HoldTimers;
  /** Below the step minus the gap. */
  readonly below: HoldTimers;
  /** Time of the newest reading with a value; null after one without, because nothing was seen since. */
  readonly seenAt: number | null;
  /** Returns since the ladder was last calm for the flap settings' time. */
  readonly flaps: number;
  /** Seen time since a tier was last left; null when that is long ago. */
  readonly leftMs: number | null;
}

export interface Transition {
  readonly state: 'raised' | 'lowered' | 'cleared';
  /** The tier now; on `cleared` the tier that ended. */
  readonly tier: Tier;
  readonly previousTier: Tier | null;
  /** The line that the value crossed: a step going up, a step minus the gap going down. */
  readonly threshold: number;
  readonly value: number;
  readonly at: number;
  readonly incident: string;
  /** 1 for the first transition of an incident. */
  readonly number: number;
}

export const calmLadder: LadderState = {
  tier: null,
  incident: null,
  above: {},
  below: {},
  seenAt: null,
  flaps: 0,
  leftMs: null,
};
