/**
 * Time as an argument. Everything that waits takes a `Clock`, so that tests move time by hand instead of waiting.
 */

/** A repeated job with at most one run in flight. */
export interface Ticker {
  /** Asks for a run now; while one is in flight, any number of requests become one more run right after it. */
  trigger(): void;
  /** No further runs; resolves when the one in flight has ended. */
  stop(): Promise<void>;
}

export interface EveryOptions {
  /** Ends the repetition like `stop()`; the run in flight is left to finish. */
  readonly signal?: AbortSignal;
  /** Takes what a run threw; the repetition goes on. */
  readonly onError: (error: unknown) => void;
}

export interface Clock {
  /** Unix milliseconds; may jump. */
  now(): number;
  /** Milliseconds since some fixed moment; never goes back. */
  monotonic(): number;
  /** Rejects with the code `cancelled` when the signal aborts first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
  /**
   * Runs `tick` at every multiple of the interval from now (not at once). Points of time that pass while a run is in
   * flight are skipped, not queued.
   */
  every(intervalMs: number, tick: () => Promise<void> | void, options: EveryOptions): Ticker;
}
