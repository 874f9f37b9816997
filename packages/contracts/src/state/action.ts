/** What the agent did to containers and what became of it, and what others found out about them. */
import { z } from 'zod';
import { instantMs, measuredBytes } from '../values.ts';
import { limitOutcomes } from './kernel-memory.ts';

const bytes = measuredBytes.nullable();

export const limitWrite = z.object({
  at: instantMs,
  container: z.string(),
  outcome: z.enum(limitOutcomes),
  wantedBytes: measuredBytes,
  /** Null: no limit, or not known. */
  readBackBytes: bytes,
  previousBytes: bytes,
  reason: z.string(),
  epoch: z.number().int().nonnegative(),
});
export type LimitWrite = z.infer<typeof limitWrite>;

/** Two ladders that are never mixed: how full memory is, and how long tasks wait for it. */
export const reflexLadders = ['utilisation', 'stall'] as const;
export type ReflexLadder = (typeof reflexLadders)[number];

/** Mildest first. `alert` is the last word when nothing destructive is allowed. */
export const reflexSteps = [
  'release',
  'trim',
  'reclaim',
  'take-back',
  'shrink',
  'pause',
  'restart',
  'kill',
  'alert',
] as const;
export type ReflexStep = (typeof reflexSteps)[number];

const reading = z.object({
  usedBytes: bytes,
  limitBytes: bytes,
  /** 0–1 of the limit; null when there is none. */
  utilisation: z.number().nullable(),
  /** 0–1 of the time in which some task waited for memory. */
  someShare: z.number().nullable(),
  fullShare: z.number().nullable(),
});

export const reflexReceipt = z.object({
  at: instantMs,
  /** The same for all steps from the beginning of the shortage to its end. */
  incident: z.string(),
  ladder: z.enum(reflexLadders),
  /** `host`, or the container that is short. */
  scope: z.string(),
  step: z.enum(reflexSteps),
  /** The container that was asked or acted upon; `pools` are the agent's own, `operator` hears an alert. */
  target: z.string(),
  before: reading,
  after: reading,
  /** skipped: it could not be tried; withdrawn: the look right before it found that it was no longer needed. */
  outcome: z.enum(['helped', 'no-effect', 'skipped', 'withdrawn', 'failed']),
  reason: z.string(),
  tookMs: z.number().nonnegative(),
});
export type ReflexReceipt = z.infer<typeof reflexReceipt>;

export const containerChange = z.object({
  at: instantMs,
  container: z.string(),
  change: z.enum(['started', 'stopped', 'crashed', 'restarted', 'oom-killed']),
  detail: z.string(),
});
export type ContainerChanged = z.infer<typeof containerChange>;

export const leakJudgement = z.object({
  at: instantMs,
  container: z.string(),
  verdict: z.enum(['suspected', 'confirmed', 'cleared']),
  /** The numbers that it rests on, with their units in their names. */
  evidence: z.record(z.string(), z.number()),
  /** The working set without what leaked; null when it is not known. */
  healthyBytes: bytes,
});
export type LeakJudgement = z.infer<typeof leakJudgement>;
