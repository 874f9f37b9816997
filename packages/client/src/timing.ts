/** Time and chance as arguments, so that a test can shorten the one and fix the other. */
import { performance } from 'node:perf_hooks';

export interface Timing {
  /** How long an answer on the agent's socket is waited for. */
  readonly socketTimeoutMs: number;
  /** First and longest wait between two attempts. */
  readonly firstBackoffMs: number;
  readonly longestBackoffMs: number;
  /** Milliseconds that never jump. */
  monotonic(): number;
  /** 0 ≤ value < 1. */
  random(): number;
}

export const systemTiming: Timing = {
  socketTimeoutMs: 5_000,
  firstBackoffMs: 50,
  longestBackoffMs: 2_000,
  monotonic: () => performance.now(),
  random: () => Math.random(),
};

/** Doubles with every attempt; half of it is chance, so that many containers do not come back at once. */
export function backoffMs(attempt: number, timing: Timing): number {
  const full = Math.min(timing.longestBackoffMs, timing.firstBackoffMs * 2 ** Math.min(attempt, 16));
  return full / 2 + timing.random() * (full / 2);
}
