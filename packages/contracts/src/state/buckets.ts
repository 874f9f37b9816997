/** KV buckets and streams: who writes, what a key is, how long it lives. One writer a key; file storage for all. */
import { z } from 'zod';
import { jobRun } from '../requests/service.ts';
import { instantMs } from '../values.ts';
import { containerForecast } from './forecast.ts';
import { observedContainer, observedHost, presence } from './observed.ts';
import { desiredBudget, rememberedContainer } from './plan.ts';

export interface Bucket<Value extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly key: string;
  readonly writer: string;
  readonly summary: string;
  /** Values older than this vanish by themselves; null keeps them. Bucket-wide, because NATS 2.9 knows no other. */
  readonly ttlMs: number | null;
  readonly value: Value;
}

function bucket<Value extends z.ZodType>(definition: Bucket<Value>): Bucket<Value> {
  return definition;
}

/** Value of `lease/<name>`; its revision, behind the age of the bucket, is the fencing epoch. */
export const leaderRecord = z.object({ holder: z.string(), since: instantMs });
/** How a slot ended; `running` never ends one. */
export const slotEnding = jobRun.pick({ slot: true, outcome: true, reason: true, finishedAt: true });
export type SlotEnding = z.infer<typeof slotEnding>;

/**
 * Value of `schedule/<job>.<host>`: the newest slot that was decided, so that none runs twice or is missed silently.
 * The endings are written in the same step, so that a crash leaves no slot without one.
 */
export const scheduleRecord = z.object({
  lastSlot: instantMs,
  lastRun: jobRun,
  /** Of the newest slots, oldest first. */
  endings: z.array(slotEnding).default([]),
  /** Of the calendar's own runs, since the last that was done; a job that fails too often is paused. */
  failuresInRow: z.number().int().nonnegative().default(0),
});
export type ScheduleRecord = z.infer<typeof scheduleRecord>;

export const buckets = {
  desired: bucket({
    name: 'desired',
    key: '<host>.<container>',
    writer: 'the leading orchestrator',
    summary: 'The budget each container shall have.',
    ttlMs: null,
    value: desiredBudget,
  }),
  limitState: bucket({
    name: 'limit-state',
    key: '<host>.<container>',
    writer: 'the leading orchestrator',
    summary:
      'What the planner remembers of each container, so that a new leader goes on where the old one ended.',
    ttlMs: null,
    value: rememberedContainer,
  }),
  observedHost: bucket({
    name: 'observed-host',
    key: '<host>',
    writer: 'the agent of that host',
    summary: 'Capacity and state of a host.',
    ttlMs: null,
    value: observedHost,
  }),
  observed: bucket({
    name: 'observed',
    key: '<host>.<container>',
    writer: 'the agent of that host',
    summary: 'What each container has and uses.',
    ttlMs: null,
    value: observedContainer,
  }),
  presence: bucket({
    name: 'presence',
    key: '<host>',
    writer: 'the agent of that host',
    summary: 'Which agent serves a host; forgotten when it stops renewing.',
    ttlMs: 10_000,
    value: presence,
  }),
  forecast: bucket({
    name: 'forecast',
    key: '<host>.<container>',
    writer: 'the leading monitor',
    summary:
      'How high the use of each container may come, and when it meets its limit. No monitor writes it yet.',
    ttlMs: null,
    value: containerForecast,
  }),
  lease: bucket({
    name: 'lease',
    key: '<service>',
    writer: 'the candidates',
    summary: 'Leadership; the age of the bucket and the revision of the key make the fencing epoch.',
    ttlMs: 5_000,
    value: leaderRecord,
  }),
  schedule: bucket({
    name: 'schedule',
    key: '<job>.<host>',
    writer: 'the leading maintenance service',
    summary: 'The ledger of the calendar.',
    ttlMs: null,
    value: scheduleRecord,
  }),
} as const;

export interface Stream {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly summary: string;
  readonly maximumAgeMs: number;
  readonly maximumBytes: number;
  readonly retention: 'limits' | 'workqueue';
}

const dayMs = 86_400_000;

export const streams = {
  telemetry: {
    name: 'telemetry',
    subjects: ['nautilus.v1.tlm.>'],
    summary: 'Samples of the last day.',
    maximumAgeMs: dayMs,
    maximumBytes: 1024 ** 3,
    retention: 'limits',
  },
  alerts: {
    name: 'alerts',
    subjects: ['nautilus.v1.alert.>'],
    summary: 'Alerts of the last 30 days.',
    maximumAgeMs: 30 * dayMs,
    maximumBytes: 256 * 1024 ** 2,
    retention: 'limits',
  },
  decisions: {
    name: 'decisions',
    subjects: [
      'nautilus.v1.evt.*.orchestrator.>',
      'nautilus.v1.evt.*.agent.limit.written',
      'nautilus.v1.evt.*.agent.reflex.stepped',
    ],
    summary: 'Plans, written limits and emergency steps of the last 30 days.',
    maximumAgeMs: 30 * dayMs,
    maximumBytes: 256 * 1024 ** 2,
    retention: 'limits',
  },
  jobs: {
    name: 'jobs',
    subjects: ['nautilus.v1.job.>'],
    summary: 'Maintenance work, each piece done once.',
    maximumAgeMs: dayMs,
    maximumBytes: 64 * 1024 ** 2,
    retention: 'workqueue',
  },
} as const satisfies Record<string, Stream>;
