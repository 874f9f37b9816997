/** Runs one job on one host within its deadline and turns whatever happens into a `JobRun`; then makes it known. */
import type { Bus } from '@nautilus/bus';
import { errorTable, type JobRequest, type JobRun, jobFinished, NautilusError } from '@nautilus/contracts';
import type { Clock, Logger } from '@nautilus/kit';
import type { Job, JobReport } from './jobs/job.ts';
import type { Telemetry } from './telemetry.ts';

export type Order = Pick<JobRequest, 'run' | 'job' | 'host' | 'slot' | 'trigger' | 'dryRun'>;

export interface Attempt {
  readonly run: JobRun;
  /** Set when the same order may succeed later. */
  readonly retry: NautilusError | null;
}

export interface RunnerParts {
  readonly bus: Pick<Bus, 'request' | 'publish'>;
  readonly jobs: Readonly<Record<string, Job>>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly telemetry: Telemetry;
  readonly deadlineMs: number;
}

export class Runner {
  readonly #parts: RunnerParts;
  readonly #running = new Map<string, JobRun>();

  constructor(parts: RunnerParts) {
    this.#parts = parts;
  }

  /** Those of this instance. */
  get running(): readonly JobRun[] {
    return [...this.#running.values()];
  }

  /** Throws only for bugs: what the job throws is the outcome of the run. */
  async attempt(order: Order, signal: AbortSignal): Promise<Attempt> {
    const { clock, log, telemetry } = this.#parts;
    const { dryRun, ...named } = order;
    const begun: JobRun = {
      ...named,
      outcome: 'running',
      reason: null,
      startedAt: clock.now(),
      finishedAt: null,
      report: null,
    };
    const startedAt = clock.monotonic();
    this.#running.set(order.run, begun);
    try {
      const { report, reclaimedBytes } = await this.#do(order, startedAt, signal);
      if (reclaimedBytes !== null && !dryRun) {
        telemetry.jobReclaimedBytes.inc({ job: order.job }, reclaimedBytes);
      }
      return {
        run: { ...begun, outcome: 'done', finishedAt: clock.now(), report: { ...report } },
        retry: null,
      };
    } catch (error) {
      if (!(error instanceof NautilusError)) log.error({ err: error, order }, 'a job threw what is no fault');
      const reason =
        error instanceof NautilusError ? `${error.code}: ${error.message}` : `internal: ${String(error)}`;
      const canRetry = error instanceof NautilusError && (errorTable[error.code].retry || signal.aborted);
      return {
        run: { ...begun, outcome: 'failed', reason, finishedAt: clock.now() },
        retry: canRetry ? error : null,
      };
    } finally {
      this.#running.delete(order.run);
      telemetry.jobSeconds.observe({ job: order.job }, (clock.monotonic() - startedAt) / 1000);
    }
  }

  /** Counts the run and publishes it. Whether someone hears of it decides nothing: the ledger is what counts. */
  announce(run: JobRun): void {
    const { bus, log, telemetry } = this.#parts;
    telemetry.jobRuns.inc({ job: run.job, outcome: run.outcome });
    const level = run.outcome === 'failed' ? 'warn' : 'info';
    log[level](
      { run: run.run, trigger: run.trigger, outcome: run.outcome, reason: run.reason },
      'job finished',
    );
    try {
      bus.publish(jobFinished, { host: run.host }, run);
    } catch (error) {
      log.warn({ err: error, run: run.run }, 'the end of a job was not published');
    }
  }

  #do(order: Order, startedAt: number, signal: AbortSignal): Promise<JobReport> {
    const { bus, jobs, clock, deadlineMs } = this.#parts;
    const job = Object.hasOwn(jobs, order.job) ? jobs[order.job] : undefined;
    if (job === undefined) {
      throw new NautilusError({
        code: 'unknown_job',
        message: `no job "${order.job}"; there are ${Object.keys(jobs).join(', ')}`,
      });
    }
    return job.run({
      bus,
      host: order.host,
      dryRun: order.dryRun,
      remainingMs: () => Math.max(1, Math.ceil(startedAt + deadlineMs - clock.monotonic())),
      signal,
    });
  }
}
