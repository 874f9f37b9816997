/** Cron patterns in a time zone. The engine is asked for instants only; its own timers would lose what a sleep misses. */
import { NautilusError } from '@nautilus/contracts';
import { Cron } from 'croner';
import type { Calendar } from './types.ts';

/** Throws `config_invalid` for a pattern or a time zone that means nothing. */
export function createCalendar(pattern: string, timezone: string, key: string): Calendar {
  const cron = parse(pattern, timezone, key);
  return {
    next: (afterMs) => cron.nextRun(new Date(afterMs))?.getTime() ?? null,
    // The engine looks for what lies strictly before.
    latest: (atMs, count) => cron.previousRuns(count, new Date(atMs + 1)).map((slot) => slot.getTime()),
  };
}

function parse(pattern: string, timezone: string, key: string): Cron {
  try {
    const cron = new Cron(pattern, { timezone, paused: true });
    // The time zone is looked at only when an instant is asked for.
    cron.nextRun(new Date(0));
    return cron;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new NautilusError(
      {
        code: 'config_invalid',
        message:
          `maintenance.${key}: "${pattern}" in time zone "${timezone}" is no calendar (${why}); ` +
          'write a cron pattern such as "0 2 * * *" and an IANA time zone such as "Europe/Berlin"',
        details: { key, pattern, timezone },
      },
      { cause: error },
    );
  }
}
