/** Bounds work that may hang. The work itself cannot be stopped from outside, so its late end is reported. */
import { NautilusError } from '@nautilus/contracts';
import type { Clock } from '../clock/clock.ts';

export interface Deadline {
  readonly clock: Clock;
  /** Infinity: no deadline. */
  readonly deadlineMs: number;
  /** For the message: `component "bus" did not stop`. */
  readonly what: string;
  /** Called when the work ends after its deadline; `error` is null when it succeeded. */
  readonly onLate: (error: unknown) => void;
}

/** Rejects with the code `timeout` at the deadline. */
export function withDeadline(work: () => Promise<void> | void, deadline: Deadline): Promise<void> {
  const { clock, deadlineMs, what, onLate } = deadline;
  return new Promise((resolve, reject) => {
    const timer = new AbortController();
    let isOver = false;
    if (deadlineMs !== Number.POSITIVE_INFINITY) {
      clock.sleep(deadlineMs, timer.signal).then(
        () => {
          isOver = true;
          reject(new NautilusError({ code: 'timeout', message: `${what} within ${deadlineMs} ms` }));
        },
        // Cancelled: the work ended in time.
        () => undefined,
      );
    }
    const end = (settle: () => void, error: unknown): void => {
      timer.abort();
      if (isOver) onLate(error);
      else settle();
    };
    Promise.resolve()
      .then(work)
      .then(
        () => end(resolve, null),
        (error: unknown) => end(() => reject(error), error),
      );
  });
}
