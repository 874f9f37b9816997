/** What a maintenance job is: when it runs, and what it asks of one host. Everything else is done around it. */
import type { Bus } from '@nautilus/bus';
import type { Config } from '@nautilus/contracts';

export interface JobContext {
  readonly bus: Pick<Bus, 'request'>;
  readonly host: string;
  /** Look, say what would be done, and change nothing. */
  readonly dryRun: boolean;
  /** What is left of the job's time, in milliseconds; the timeout of its next request. */
  readonly remainingMs: () => number;
  /** Aborts when this service stops. */
  readonly signal: AbortSignal;
}

export interface JobReport {
  /** What the host got back; null where that is not the job's business. */
  readonly reclaimedBytes: number | null;
  /** For the reader of the ledger. */
  readonly report: Readonly<Record<string, unknown>>;
}

export interface Job {
  readonly summary: string;
  /** The configuration key that holds the pattern; named when the pattern is wrong. */
  readonly scheduleKey: string;
  readonly schedule: (config: Config['maintenance']) => string;
  /** Throws a `NautilusError` when it cannot be done; running it twice must do no harm. */
  readonly run: (context: JobContext) => Promise<JobReport>;
}
