/**
 * The numbers of the limit policy as they are shipped. Those marked with a series were chosen on the tuning half of the
 * recorded containers (docs/guides/budgets.md says how, and what the other half showed); the others are conventions.
 */
import type { LimitTuning } from './types.ts';

const minute = 60_000;
const hour = 60 * minute;

export const defaultTuning: LimitTuning = {
  safetyMargin: 0.02,
  // Series: 1 % adds a breach, and so do 5 % that do not widen; these cost half a point of slack more.
  baseMargin: 0.02,
  wideningMs: 4 * hour,
  // Series: 0.2 adds a breach; each 0.2 more costs 1.2 points of slack, and up to 1 none saves a breach.
  riseShare: 0.4,
  riseMs: 5 * minute,
  mostRise: 0.5,
  coldStartMs: hour,
  bucketMs: 30 * minute,
  // Series: 4.5 h add a breach, 24 h cost a point of slack. So what runs once a day is not remembered from day to day.
  peakMs: 6 * hour,
  raiseBand: 0.02,
  lowerBand: 0.03,
  coolDownMs: 15 * minute,
  mostCut: 0.5,
  // The Kubernetes VPA: usage × 1.2, or 100 MiB more.
  bump: 1.2,
  bumpBytes: 100 * 1024 ** 2,
  // A kill is remembered for 4 half-lives (1 → 1/16), a stall for 2.
  scarHalfLifeMs: 8 * hour,
  killWeight: 1,
  stallWeight: 0.25,
  forgottenWeight: 0.125,
  mostGapMs: 5 * minute,
  staleAfterMs: 15_000,
  quietSteps: 2,
};
