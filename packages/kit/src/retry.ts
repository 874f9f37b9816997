/** Tries again after what may pass by itself; anything else, and the end of the pauses, goes to the caller. */
import { errorTable, NautilusError } from '@nautilus/contracts';
import type { Clock } from './clock/clock.ts';

export interface RetryOptions {
  readonly clock: Clock;
  /** Pauses in milliseconds; where they end, the last error is thrown. */
  readonly backoff: Iterable<number>;
  readonly signal?: AbortSignal;
  /** Default: the error is a `NautilusError` whose code says that the same request can succeed later. */
  readonly shouldRetry?: (error: unknown, attempt: number) => boolean;
}

function canSucceedLater(error: unknown): boolean {
  return error instanceof NautilusError && errorTable[error.code].retry;
}

/** `attempt` counts from 1. */
export async function retry<T>(work: (attempt: number) => Promise<T> | T, options: RetryOptions): Promise<T> {
  const { clock, signal, shouldRetry = canSucceedLater } = options;
  const pauses = options.backoff[Symbol.iterator]();
  try {
    for (let attempt = 1; ; attempt += 1) {
      if (signal?.aborted === true) {
        throw new NautilusError(
          { code: 'cancelled', message: 'retry was cancelled' },
          { cause: signal.reason },
        );
      }
      try {
        return await work(attempt);
      } catch (error) {
        if (!shouldRetry(error, attempt)) throw error;
        const pause = pauses.next();
        if (pause.done === true) throw error;
        await clock.sleep(pause.value, signal);
      }
    }
  } finally {
    pauses.return?.();
  }
}
