/** What a decision about slots is made from and what it says. Instants are Unix milliseconds. */

/** The slots of one pattern in one time zone. */
export interface Calendar {
  /** The first slot after the instant; null when there is none. */
  next(afterMs: number): number | null;
  /** The newest slots at or before the instant, newest first, at most `count`. */
  latest(atMs: number, count: number): readonly number[];
}

export interface CalendarRules {
  /** A missed slot younger than this is run, late. */
  readonly catchUpMs: number;
  /** A slot younger than this is not late. */
  readonly graceMs: number;
}

/** Why nothing is run now. `wait`: the slot may still be run when this is over; `skip`: it is not run at all. */
export interface Hold {
  readonly kind: 'wait' | 'skip';
  readonly reason: string;
}

export interface SkippedSlot {
  readonly slot: number;
  readonly reason: string;
}

export interface CalendarDecision {
  /** At most one slot, however many were missed. */
  readonly run: { readonly slot: number; readonly trigger: 'schedule' | 'catch-up' } | null;
  /** Slots that will never run, oldest first. */
  readonly skipped: readonly SkippedSlot[];
  /** The slot that waits, undecided, and for what. */
  readonly waiting: SkippedSlot | null;
  /** Where the ledger begins, or begins anew. */
  readonly begin: SkippedSlot | null;
  /** When there is something to decide next. */
  readonly nextAt: number | null;
}
