/** Facts that agents and services publish: at most once, past tense. What must not be lost is in a stream or in KV. */
import { z } from 'zod';
import { jobRun } from '../requests/service.ts';
import { notice } from '../subject.ts';
import { instantMs, measuredBytes } from '../values.ts';
import { containerChange, leakJudgement, limitWrite, reflexReceipt } from './action.ts';
import { alertBody } from './alert.ts';
import { budgetPlan, recordedInput, refusedDecision } from './plan.ts';
import { agentSample } from './sample.ts';

const segmentFact = z.object({
  at: instantMs,
  segment: z.string(),
  container: z.string(),
  pool: z.string(),
  bytes: measuredBytes,
});

export const leaseEndReasons = [
  'release',
  'expiry',
  'holder-closed',
  'not-returned',
  'clean-up',
  'container-ended',
] as const;
export type LeaseEndReason = (typeof leaseEndReasons)[number];

export const segmentLeased = notice({
  class: 'evt',
  party: 'agent',
  topic: 'segment.leased',
  summary: 'A lease began.',
  body: segmentFact,
});

export const leaseEnded = notice({
  class: 'evt',
  party: 'agent',
  topic: 'segment.released',
  summary: 'A lease ended, and why.',
  body: segmentFact.extend({ reason: z.enum(leaseEndReasons), lingeringBytes: measuredBytes }),
});

export const segmentGranted = notice({
  class: 'evt',
  party: 'agent',
  topic: 'segment.granted',
  summary: 'A container may read a segment from now on.',
  body: segmentFact.extend({ to: z.string() }),
});

export const budgetApplied = notice({
  class: 'evt',
  party: 'agent',
  topic: 'budget.applied',
  summary: 'The agent obeyed a desired budget.',
  body: z.object({
    at: instantMs,
    container: z.string(),
    budgetBytes: measuredBytes,
    previousBytes: measuredBytes,
    epoch: z.number(),
    reason: z.string(),
  }),
});

export const limitWritten = notice({
  class: 'evt',
  party: 'agent',
  topic: 'limit.written',
  summary:
    'The agent wrote a kernel limit, or tried to; what stands now was read back. No agent writes limits yet.',
  body: limitWrite,
});

export const reflexStepped = notice({
  class: 'evt',
  party: 'agent',
  topic: 'reflex.stepped',
  summary: 'The receipt of one step of the emergency ladder. No agent walks it yet.',
  body: reflexReceipt,
});

export const containerChanged = notice({
  class: 'evt',
  party: 'agent',
  topic: 'container.changed',
  summary: 'A container began, ended, or lost a process to the OOM killer.',
  body: containerChange,
});

export const leakJudged = notice({
  class: 'evt',
  party: 'monitor',
  topic: 'leak.judged',
  summary: 'Whether a container leaks, with the evidence. No monitor judges it yet.',
  body: leakJudgement,
});

export const planDecided = notice({
  class: 'evt',
  party: 'orchestrator',
  topic: 'plan.decided',
  summary: 'A plan was decided and written.',
  body: budgetPlan,
});

export const planRecorded = notice({
  class: 'evt',
  party: 'orchestrator',
  topic: 'plan.recorded',
  summary: 'What a plan was decided from, so that it can be decided again.',
  body: recordedInput,
});

export const decisionRefused = notice({
  class: 'evt',
  party: 'orchestrator',
  topic: 'decision.refused',
  summary: 'A decision that was not made or did not go through, and why.',
  body: refusedDecision,
});

export const jobFinished = notice({
  class: 'evt',
  party: 'maintenance',
  topic: 'job.finished',
  summary: 'A maintenance job ended.',
  body: jobRun,
});

export const sampleTaken = notice({
  class: 'tlm',
  party: 'agent',
  topic: 'sample',
  summary: 'The state of a host, once a second.',
  body: agentSample,
});

export const memoryPressure = notice({
  class: 'alert',
  party: '*',
  topic: 'memory-pressure',
  summary: 'Memory of a host, region, pool or container crossed a step of the ladder. The party is the tier.',
  body: alertBody,
});

export const jobRequested = notice({
  class: 'job',
  party: '',
  topic: '*',
  summary: 'Work for a maintenance worker; the last token is the job.',
  body: z.object({
    run: z.string(),
    job: z.string(),
    host: z.string(),
    slot: instantMs,
    trigger: z.enum(['schedule', 'catch-up', 'request']),
    dryRun: z.boolean(),
    epoch: z.number().int(),
  }),
});
export type JobRequest = z.infer<(typeof jobRequested)['body']>;
