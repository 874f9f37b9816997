/** What an instance does while it leads: keeps the calendar, and works off the queue. */
import type { Bus, Store } from '@nautilus/bus';
import type { Config, JobRun, Presence } from '@nautilus/contracts';
import type { Clock, Logger } from '@nautilus/kit';
import type { Calendar } from './calendar/types.ts';
import type { Emergencies } from './emergencies.ts';
import type { Ledger } from './ledger.ts';
import type { Runner } from './runner.ts';
import { Scheduler } from './scheduler.ts';
import { maximumDeliveries, openWorker } from './worker.ts';

export interface LeadingParts {
  readonly config: Config['maintenance'];
  readonly bus: Bus;
  readonly presence: Store<Presence>;
  readonly ledger: Ledger;
  readonly runner: Runner;
  readonly emergencies: Emergencies;
  readonly calendars: ReadonlyMap<string, Calendar>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Later than this a slot counts as missed; twice the longest pause between two looks at the clock. */
const graceMs = 60_000;
/** What a job in flight gets when leadership ends; then it is cancelled, and delivered again to the next leader. */
const drainMs = 5_000;

export async function lead(parts: LeadingParts, epoch: number, signal: AbortSignal): Promise<void> {
  const { config, runner } = parts;
  const queue = await openWorker(parts);
  try {
    const scheduler = new Scheduler(
      {
        ...parts,
        rules: { catchUpMs: config.catch_up, graceMs },
        pauseAfter: config.pause_after,
        patienceMs: (maximumDeliveries + 1) * config.job_deadline,
        announce: (run: JobRun) => runner.announce(run),
      },
      epoch,
    );
    await scheduler.run(signal);
  } finally {
    await queue.drain(drainMs);
  }
}
