/** The part of the app that needs NATS: opens the buckets, answers requests, and campaigns for the calendar. */
import { randomUUID } from 'node:crypto';
import type { Bus, LeaderLease, ServedService } from '@nautilus/bus';
import { buckets, type Config, streams } from '@nautilus/contracts';
import type { Clock, Component, Health, Logger } from '@nautilus/kit';
import { listJobsEndpoint, runJobEndpoint } from './api.ts';
import { createCalendar } from './calendar/cron.ts';
import type { Calendar } from './calendar/types.ts';
import { Emergencies } from './emergencies.ts';
import type { Job } from './jobs/job.ts';
import { lead } from './leading.ts';
import { Ledger } from './ledger.ts';
import { Runner } from './runner.ts';
import type { Telemetry } from './telemetry.ts';

export const service = 'maintenance';
export const version = '0.1.0';
/** Together with the drain of the queue less than the deadline of this component. */
const drainMs = 8_000;

export interface ServiceParts {
  readonly config: Pick<Config, 'maintenance'>;
  readonly jobs: Readonly<Record<string, Job>>;
  readonly bus: () => Bus;
  readonly clock: Clock;
  readonly log: Logger;
  readonly health: Health;
  readonly telemetry: Telemetry;
  /** Unique among the instances. */
  readonly instance: string;
}

export interface Service extends Component {
  readonly isLeading: boolean;
}

export function createService(parts: ServiceParts): Service {
  const { health, log, instance, jobs, clock, telemetry } = parts;
  const config = parts.config.maintenance;
  const ending = new AbortController();
  /** Cuts off what somebody asked for, when a drain was not enough to finish it. */
  const cutOff = new AbortController();
  let lease: LeaderLease | null = null;
  let served: ServedService | null = null;
  let campaign: Promise<void> = Promise.resolve();
  health.set('buckets', { ok: false, reason: 'not opened yet' });
  health.set('endpoints', { ok: false, reason: 'not served yet' });
  return {
    name: 'service',
    startDeadlineMs: 30_000,
    deadlineMs: 15_000,
    get isLeading() {
      return lease?.leading ?? false;
    },
    async start() {
      // Before anything is opened: a wrong pattern must not wait for its first slot to be found.
      const calendars = calendarsOf(jobs, config);
      const bus = parts.bus();
      await bus.ensureStream(streams.jobs);
      const ledger = new Ledger(await bus.store(buckets.schedule));
      const presence = await bus.store(buckets.presence);
      health.set('buckets', { ok: true });

      const emergencies = new Emergencies({ bus, clock, log });
      await emergencies.listen();
      const runner = new Runner({
        bus,
        jobs,
        emergencies,
        clock,
        log,
        telemetry,
        deadlineMs: config.job_deadline,
      });
      const api = {
        jobs,
        calendars,
        schedule: (job: string) => jobs[job]?.schedule(config) ?? '',
        timezone: config.timezone,
        ledger,
        runner,
        clock,
        log,
        signal: cutOff.signal,
        newId: () => `request-${randomUUID().slice(0, 8)}`,
      };
      served = await bus.serve({
        name: service,
        version,
        endpoints: [runJobEndpoint(api), listJobsEndpoint(api)],
      });
      health.set('endpoints', { ok: true });

      const own = bus.leaderLease({ service, holder: instance, log });
      lease = own;
      const leading = { config, bus, presence, ledger, runner, emergencies, calendars, clock, log };
      campaign = own.run((epoch, signal) => lead(leading, epoch, signal), ending.signal);
      // Awaited when draining; a campaign that fails before that must be seen, and must not end the process.
      campaign.catch((error: unknown) => {
        log.error({ err: error }, 'the campaign for leadership ended');
        health.set('leadership', { ok: false, reason: String(error) });
      });
    },
    async drain() {
      ending.abort();
      await Promise.allSettled([campaign]);
      await served?.drain(drainMs);
      cutOff.abort();
    },
  };
}

function calendarsOf(
  jobs: Readonly<Record<string, Job>>,
  config: Config['maintenance'],
): ReadonlyMap<string, Calendar> {
  return new Map(
    Object.entries(jobs).map(([name, job]) => [
      name,
      createCalendar(job.schedule(config), config.timezone, job.scheduleKey),
    ]),
  );
}
