/** `api.maintenance`: run a job now, and show the calendar. Any instance answers; only the leader keeps the calendar. */
import { type Endpoint, endpoint } from '@nautilus/bus';
import { fail, type JobRun, listJobs, ok, runJob } from '@nautilus/contracts';
import type { Clock, Logger } from '@nautilus/kit';
import type { Calendar } from './calendar/types.ts';
import type { Job } from './jobs/job.ts';
import type { Ledger } from './ledger.ts';
import type { Runner } from './runner.ts';

export interface ApiParts {
  readonly jobs: Readonly<Record<string, Job>>;
  readonly calendars: ReadonlyMap<string, Calendar>;
  readonly schedule: (job: string) => string;
  readonly timezone: string;
  readonly ledger: Ledger;
  readonly runner: Runner;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Logger;
  /** Aborts when this service stops. A requester who gives up does not stop the job. */
  readonly signal: AbortSignal;
  readonly newId: () => string;
}

export function runJobEndpoint({ jobs, ledger, runner, clock, log, signal, newId }: ApiParts): Endpoint {
  return endpoint({
    contract: runJob,
    concurrency: 8,
    queueLimit: 32,
    handle: async ({ job, host, dryRun = false }) => {
      if (!Object.hasOwn(jobs, job)) {
        return fail('unknown_job', `no job "${job}"; there are ${Object.keys(jobs).join(', ')}`);
      }
      const order = { run: `${job}:${host}:${newId()}`, job, host, slot: clock.now(), dryRun };
      const { run } = await runner.attempt({ ...order, trigger: 'request' }, signal);
      runner.announce(run);
      try {
        await ledger.note(run, dryRun);
      } catch (error) {
        // The work is done, and its answer must not be lost for that.
        log.warn({ err: error, run: run.run }, 'a run on request is not in the ledger');
      }
      return ok(run);
    },
  });
}

export function listJobsEndpoint({
  jobs,
  calendars,
  schedule,
  timezone,
  ledger,
  runner,
  clock,
}: ApiParts): Endpoint {
  return endpoint({
    contract: listJobs,
    handle: async () => {
      const now = clock.now();
      const recorded = [...(await ledger.all()).values()].map(({ lastRun }) => lastRun);
      const runs = [...runner.running, ...recorded].sort(newestFirst);
      return ok({
        jobs: Object.entries(jobs).map(([job, { summary }]) => ({
          job,
          summary,
          schedule: schedule(job),
          timezone,
          nextAt: calendars.get(job)?.next(now) ?? null,
        })),
        runs,
      });
    },
  });
}

function newestFirst(a: JobRun, b: JobRun): number {
  return b.startedAt - a.startedAt || (a.run < b.run ? -1 : 1);
}
