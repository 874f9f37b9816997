/** What people and tools ask of the services over `api`: explain the plan, list alerts, run a job. */
import { z } from 'zod';
import { alertBody } from '../state/alert.ts';
import { budgetPlan } from '../state/plan.ts';
import { exchange } from '../subject.ts';
import { instantMs, tokenName } from '../values.ts';

export const explainPlan = exchange({
  class: 'api',
  party: 'orchestrator',
  noun: 'plan',
  verb: 'explain',
  summary: 'The latest plan of a host with the reason for every budget, in words and numbers.',
  request: z.object({ host: tokenName }),
  response: z.object({
    plan: budgetPlan.nullable(),
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
