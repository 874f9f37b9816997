/** The clock of the machine. */
import { performance } from 'node:perf_hooks';
import type { Clock } from './clock.ts';
import { clockFrom } from './clock-from.ts';

/** Node fires a longer timeout at once. */
const longestTimeoutMs = 2 ** 31 - 1;

function after(delayMs: number, callback: () => void): () => void {
  let timer: NodeJS.Timeout;
  const wait = (restMs: number): void => {
    timer =
      restMs > longestTimeoutMs
        ? setTimeout(() => wait(restMs - longestTimeoutMs), longestTimeoutMs)
        : setTimeout(callback, Math.max(0, restMs));
  };
  wait(delayMs);
  return () => clearTimeout(timer);
}

export function systemClock(): Clock {
  return clockFrom({ now: () => Date.now(), monotonic: () => performance.now(), after });
}
