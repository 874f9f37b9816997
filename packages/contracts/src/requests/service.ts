/** What people and tools ask of the services over `api`: explain the plan, list alerts, run a job. */
import { z } from 'zod';
import { limitWrite, reflexReceipt } from '../state/action.ts';
import { alertBody } from '../state/alert.ts';
import { containerForecast } from '../state/forecast.ts';
import { observedContainer } from '../state/observed.ts';
import { budgetPlan, desiredBudget, rememberedContainer } from '../state/plan.ts';
import { exchange } from '../subject.ts';
import { instantMs, tokenName } from '../values.ts';

/** All that is known of why one container has what it has; null where nothing is. */
export const explainedContainer = z.object({
  container: z.string(),
  desired: desiredBudget.nullable(),
  /** Working set, leases and the limit in force, as the agent stated them last. */
  observed: observedContainer.nullable(),
  forecast: containerForecast.nullable(),
  /** Peaks, scar and what was lent to it. */
  remembered: rememberedContainer.nullable(),
  /** Newest first, heard by the instance that answers since it started. */
  limitWrites: z.array(limitWrite),
  reflexReceipts: z.array(reflexReceipt),
});
export type ExplainedContainer = z.infer<typeof explainedContainer>;

export const explainPlan = exchange({
  class: 'api',
  party: 'orchestrator',
  noun: 'plan',
  verb: 'explain',
  summary: 'The latest plan of a host with the reason for every budget, in words and numbers.',
  request: z.object({ host: tokenName, container: tokenName.optional() }),
  response: z.object({
    plan: budgetPlan.nullable(),
    /** When a container was named. */
    container: explainedContainer.nullable().optional(),
    leader: z.boolean(),
    epoch: z.number().int().nullable(),
  }),
});

export const listAlerts = exchange({
  class: 'api',
  party: 'monitor',
  noun: 'alert',
  verb: 'list',
  summary: 'The alerts that are raised now.',
  request: z.object({ host: tokenName.optional() }),
  response: z.object({ alerts: z.array(alertBody) }),
});

export const jobRun = z.object({
  run: z.string(),
  job: z.string(),
  host: z.string(),
  /** The planned instant, or the instant of the request. */
  slot: instantMs,
  trigger: z.enum(['schedule', 'catch-up', 'request']),
  outcome: z.enum(['done', 'failed', 'skipped', 'running']),
  reason: z.string().nullable(),
  startedAt: instantMs,
  finishedAt: instantMs.nullable(),
  report: z.record(z.string(), z.unknown()).nullable(),
});
export type JobRun = z.infer<typeof jobRun>;

export const runJob = exchange({
  class: 'api',
  party: 'maintenance',
  noun: 'job',
  verb: 'run',
  summary: 'Runs a maintenance job on a host now and answers when it has finished.',
  request: z.object({ job: tokenName, host: tokenName, dryRun: z.boolean().optional() }),
  response: jobRun,
});

export const listJobs = exchange({
  class: 'api',
  party: 'maintenance',
  noun: 'job',
  verb: 'list',
  summary: 'The calendar: every job with its next slot, and its last runs.',
  request: z.object({}),
  response: z.object({
    jobs: z.array(
      z.object({
        job: z.string(),
        summary: z.string(),
        schedule: z.string(),
        timezone: z.string(),
        nextAt: instantMs.nullable(),
      }),
    ),
    runs: z.array(jobRun),
  }),
});
