/** A clock that stands still until a test moves it, so that expiry, renewal and deadlines are tested without waiting. */
import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from './clock.ts';
import { clockFrom } from './clock-from.ts';

export interface ManualClock extends Clock {
  /**
   * Moves time and runs what falls due, in the order of its due time (equal times: in the order of the requests). After
   * each timer, the event loop turns once, so that what the timer woke up has run and may have set timers of its own.
   */
  advance(byMs: number): Promise<void>;
  /** How many timers wait. */
  readonly pending: number;
}

interface Timer {
  readonly dueAt: number;
  readonly callback: () => void;
}

/** `start` is in Unix milliseconds; the monotonic scale begins at 0. */
export function manualClock(start = 0): ManualClock {
  const timers = new Set<Timer>();
  let elapsedMs = 0;

  const clock = clockFrom({
    now: () => start + elapsedMs,
    monotonic: () => elapsedMs,
    after: (delayMs, callback) => {
      const timer = { dueAt: elapsedMs + Math.max(0, delayMs), callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
  });

  const earliest = (until: number): Timer | null => {
    let found: Timer | null = null;
    for (const timer of timers) {
      if (timer.dueAt <= until && (found === null || timer.dueAt < found.dueAt)) found = timer;
    }
    return found;
  };

  return {
    ...clock,
    get pending() {
      return timers.size;
    },
    async advance(byMs) {
      if (!(byMs >= 0)) throw new RangeError(`time cannot be moved by ${byMs} ms`);
      const target = elapsedMs + byMs;
      await turn();
      for (let timer = earliest(target); timer !== null; timer = earliest(target)) {
        timers.delete(timer);
        elapsedMs = timer.dueAt;
        timer.callback();
        await turn();
      }
      elapsedMs = target;
    },
  };
}
