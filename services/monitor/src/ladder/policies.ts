/**
 * The ladders that differ by what they measure: how full, how long tasks stood still, how busy the memory bus. They are
 * kept apart because 60 % full is quiet and 60 % stalled is a host that is dying. Why these numbers: docs/guides/alerts.md.
 */
import type { FlapSettings, LadderSettings } from './ladder.ts';

/** A return within half an hour is the same trouble; no tier is kept longer than an hour after it ended. */
export const flapControl: FlapSettings = { withinMs: 1_800_000, longestClearHoldMs: 3_600_000 };

/** Share of time in which all tasks waited for memory (PSI full), over `stallWindowMs`. */
export const stallLadder: LadderSettings = {
  steps: { info: 0.02, warning: 0.1, critical: 0.2, emergency: 0.4 },
  gap: 0.01,
  raiseHoldMs: 10_000,
  clearHoldMs: 300_000,
  flap: flapControl,
};

/** Share of the calibrated peak of the memory bus; only where a counter measures it. */
export const bandwidthLadder: LadderSettings = {
  steps: { info: 0.7, warning: 0.85, critical: 0.95, emergency: 0.98 },
  gap: 0.05,
  raiseHoldMs: 60_000,
  clearHoldMs: 600_000,
  flap: flapControl,
};
