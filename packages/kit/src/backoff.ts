/** Growing pauses between attempts, spread by chance so that many clients do not come back at the same moment. */

export interface BackoffOptions {
  /** The first pause. */
  readonly minimumMs: number;
  /** No pause is longer. */
  readonly maximumMs: number;
  /** Each pause is this many times the one before; default 2. */
  readonly factor?: number;
  /** The part of a pause, 0 to 1, that chance may take away; default 0.5. */
  readonly jitter?: number;
  /** A number from 0 (inclusive) to 1 (exclusive). */
  readonly random: () => number;
}

/** Pauses in milliseconds, without end. */
export function* backoff(options: BackoffOptions): Generator<number, never, void> {
  const { minimumMs, maximumMs, factor = 2, jitter = 0.5, random } = options;
  if (!(minimumMs > 0 && maximumMs >= minimumMs && factor >= 1 && jitter >= 0 && jitter <= 1)) {
    throw new RangeError(
      `backoff needs 0 < minimumMs <= maximumMs, factor >= 1 and 0 <= jitter <= 1, ` +
        `found ${minimumMs}, ${maximumMs}, ${factor} and ${jitter}`,
    );
  }
  let pauseMs = minimumMs;
  while (true) {
    yield pauseMs * (1 - jitter * random());
    pauseMs = Math.min(maximumMs, pauseMs * factor);
  }
}
