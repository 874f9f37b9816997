/** The numbers by which a rising floor is told from a cache, a load or a collection; chosen by `npm run bench:leaks`. */

export interface LeakRule {
  /** One floor, the lowest reading, in each. Longer than the time between two collections of most runtimes. */
  readonly bucketMs: number;
  /** Each is tried, shortest first: a fast leak shows in the first, a slow one in the last. */
  readonly windowsMs: readonly number[];
  /** Equal parts of a window; the trough of one must lie above that of the one before. */
  readonly parts: number;
  /** What a window must have gained to be suspected, and to be confirmed: a share of the limit. */
  readonly suspectedShare: number;
  readonly confirmedShare: number;
  /** The gain as a multiple of the series' own scatter around its trend (1.4826 × median absolute deviation). */
  readonly leastNoises: number;
  /** A part rises if it gains at least this share of what an even rise would gain. */
  readonly evenShare: number;
  /** Of the parts, those that must rise. */
  readonly suspectedConsistent: number;
  readonly confirmedConsistent: number;
  /** Of the gain, what must be left without the largest step. */
  readonly withoutStepShare: number;
  /** Gain of the second half ÷ gain of the first: a cache that fills slows down, a leak does not. */
  readonly leastSteadiness: number;
  /** A limit that is further away is no reason to restart anything yet. */
  readonly mostTimeToLimitMs: number;
  /** A leak is suspected for so long, without a break, before it is confirmed. */
  readonly suspectedForMs: number;
  /** Of floors that are known; before that a process fills its caches, and nothing is confirmed. */
  readonly leastKnownMs: number;
}

const minuteMs = 60_000;
export const hourMs = 3_600_000;

export const leakRule: LeakRule = {
  bucketMs: 10 * minuteMs,
  windowsMs: [3 * hourMs, 4 * hourMs, 6 * hourMs, 8 * hourMs, 12 * hourMs],
  parts: 9,
  suspectedShare: 0.015,
  confirmedShare: 0.02,
  leastNoises: 8,
  evenShare: 0.5,
  suspectedConsistent: 0.75,
  confirmedConsistent: 0.8,
  withoutStepShare: 0.6,
  leastSteadiness: 0.8,
  mostTimeToLimitMs: 7 * 24 * hourMs,
  suspectedForMs: 20 * minuteMs,
  leastKnownMs: 6 * hourMs,
};
