/** Sleeping and repeating, built once from the three primitives in which a real and a manual clock differ. */
import { NautilusError } from '@nautilus/contracts';
import type { Clock } from './clock.ts';
import { TickLoop } from './tick-loop.ts';

export interface TimeSource {
  now(): number;
  monotonic(): number;
  /** Calls back once after the delay; the returned function takes the request back. */
  after(delayMs: number, callback: () => void): () => void;
}

export function clockFrom(source: TimeSource): Clock {
  return {
    now: () => source.now(),
    monotonic: () => source.monotonic(),
    sleep: (delayMs, signal) => sleep(source, delayMs, signal),
    every: (intervalMs, tick, options) => new TickLoop(source, intervalMs, tick, options),
  };
}

function sleep(source: TimeSource, delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (): void => {
      reject(
        new NautilusError({ code: 'cancelled', message: 'sleep was cancelled' }, { cause: signal?.reason }),
      );
    };
    if (signal?.aborted === true) {
      refuse();
      return;
    }
    const onAbort = (): void => {
      takeBack();
      refuse();
    };
    const takeBack = source.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
