/** Runs one job on one host within its deadline and turns whatever happens into a `JobRun`; then makes it known. */
import type { Bus } from '@nautilus/bus';
import { errorTable, type JobRequest, type JobRun, jobFinished, NautilusError } from '@nautilus/contracts';
import type { Clock, Logger } from '@nautilus/kit';
import type { Emergencies } from './emergencies.ts';
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
  readonly emergencies: Pick<Emergencies, 'of' | 'during'>;
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

  /**
   * Throws only for bugs: what the job throws is the outcome of the run. A dry run changes nothing and so never gives
   * way to an emergency.
   */
  attempt(order: Order, signal: AbortSignal): Promise<Attempt> {
    const { emergencies } = this.#parts;
    if (order.dryRun) return this.#attempt(order, signal, null);
    return emergencies.during(order.host, (emergency) =>
      this.#attempt(order, AbortSignal.any([signal, emergency]), emergency),
    );
  }

  async #attempt(order: Order, signal: AbortSignal, emergency: AbortSignal | null): Promise<Attempt> {
    const { clock, log, telemetry, emergencies } = this.#parts;
    const { dryRun, ...named } = order;
    const begun: JobRun = {
      ...named,
      outcome: 'running',
      reason: null,
      startedAt: clock.now(),
      finishedAt: null,
      report: null,
    };
    const present = emergency === null ? null : emergencies.of(order.host);
    if (present !== null) return gaveWay(begun, `not begun, emergency: ${present}`, clock.now());
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
      if (emergency?.aborted === true) {
        const why = emergencies.of(order.host) ?? 'it is over';
        return gaveWay(begun, `broken off, what was done stands, emergency: ${why}`, clock.now());
      }
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

function gaveWay(begun: JobRun, reason: string, finishedAt: number): Attempt {
  return { run: { ...begun, outcome: 'skipped', reason, finishedAt }, retry: null };
}
