/**
 * Takes work from the queue: does what the ledger has not decided yet, tries again later what may pass by itself, and
 * records the rest. One run at a time on a host, of whatever job; different hosts side by side.
 */
import type { Bus, JobInfo, WorkQueue } from '@nautilus/bus';
import { type JobRequest, jobRequested, streams } from '@nautilus/contracts';
import type { Clock, Logger } from '@nautilus/kit';
import type { Ledger } from './ledger.ts';
import type { Runner } from './runner.ts';

export interface WorkerParts {
  readonly bus: Pick<Bus, 'workQueue'>;
  readonly ledger: Ledger;
  readonly runner: Runner;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How often a job is tried; the pauses grow, so that an agent has time to restart. */
export const maximumDeliveries = 4;
const pausesMs = [1_000, 5_000, 20_000] as const;
const ackWaitMs = 30_000;
const concurrency = 4;

export function openWorker(parts: WorkerParts): Promise<WorkQueue> {
  const latest = new Map<string, Promise<void>>();
  return parts.bus.workQueue(
    {
      stream: streams.jobs,
      contract: jobRequested,
      durable: 'maintenance',
      ackWaitMs,
      maxDeliver: maximumDeliveries,
      concurrency,
    },
    (order, info) => {
      const key = order.host;
      const before = latest.get(key) ?? Promise.resolve();
      const own = aliveWhile(parts, info, async () => {
        await before;
        await work(parts, order, info);
      });
      const settled = own.then(
        () => undefined,
        // The queue reports it; here only the order matters.
        () => undefined,
      );
      latest.set(key, settled);
      void settled.then(() => {
        if (latest.get(key) === settled) latest.delete(key);
      });
      return own;
    },
  );
}

/** One delivery of one order; what it throws is delivered again. */
export async function work(
  { ledger, runner, clock, log }: Omit<WorkerParts, 'bus'>,
  order: JobRequest,
  info: JobInfo,
): Promise<void> {
  if (await ledger.isDecided(order.job, order.host, order.slot)) {
    log.info({ run: order.run, delivery: info.delivery }, 'the slot was decided before, nothing to do');
    return;
  }
  const { run, retry } = await runner.attempt(order, info.signal);
  if (retry !== null && (info.signal.aborted || info.delivery < maximumDeliveries)) {
    const pauseMs = pausesMs[info.delivery - 1] ?? 0;
    log.warn(
      { run: order.run, delivery: info.delivery, pauseMs, reason: run.reason },
      'job will be tried again',
    );
    if (!info.signal.aborted) await clock.sleep(pauseMs, info.signal);
    throw retry;
  }
  await ledger.decide(run);
  runner.announce(run);
}

/** Gives the queue a sign of life while the work lasts, or it would be delivered to someone else as well. */
async function aliveWhile(
  { clock, log }: WorkerParts,
  info: JobInfo,
  task: () => Promise<void>,
): Promise<void> {
  const pulse = clock.every(ackWaitMs / 3, () => info.working(), {
    onError: (error) => log.warn({ err: error }, 'no sign of life could be given for a job'),
  });
  try {
    await task();
  } finally {
    await pulse.stop();
  }
}
