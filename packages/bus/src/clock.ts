/** Time as an argument: wall time for deadlines that cross processes, monotonic time for leases. */
import { performance } from 'node:perf_hooks';

export interface Clock {
  /** Unix milliseconds. */
  now(): number;
  /** Milliseconds that never jump; they go on while the process is stopped by a signal. */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};

/** Resolves after the delay or at once when the signal aborts; never rejects. */
export function pause(delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve();
      return;
    }
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, delayMs);
    signal?.addEventListener('abort', done, { once: true });
  });
}

/** Doubles from 1 s to 30 s; half of it is jitter, so that many watchers do not come back at once. */
export function backoffMs(
  attempt: number,
  random: () => number,
  firstMs = 1_000,
  longestMs = 30_000,
): number {
  const full = Math.min(longestMs, firstMs * 2 ** Math.min(attempt, 16));
  return full / 2 + random() * (full / 2);
}
