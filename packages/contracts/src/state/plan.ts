/** Budgets: what the orchestrator wants (`desired`), and the plan that says why. */
import { z } from 'zod';
import { instantMs, measuredBytes } from '../values.ts';

/** Value of `desired/<host>.<container>`. */
export const desiredBudget = z.object({
  budgetBytes: measuredBytes,
  /** Fencing epoch of the deciding leader; agents refuse one smaller than they have seen. */
  epoch: z.number().int().positive(),
  plan: z.string(),
  reason: z.string(),
  decidedAt: instantMs,
  /** Most that may be in force until the agent reports this budget: a larger one before it may not be taken back yet. */
  ceilingBytes: measuredBytes.optional(),
  /** What was in force when this was decided, if nothing older was on its way; a report of this budget then answers it. */
  replacedBytes: measuredBytes.optional(),
});
export type DesiredBudget = z.infer<typeof desiredBudget>;

export const plannedBudget = z.object({
  container: z.string(),
  budgetBytes: measuredBytes,
  previousBytes: measuredBytes.nullable(),
  leasedBytes: measuredBytes,
  reason: z.string(),
});
export type PlannedBudget = z.infer<typeof plannedBudget>;

export const budgetPlan = z.object({
  plan: z.string(),
  host: z.string(),
  decidedAt: instantMs,
  capacityBytes: measuredBytes,
  plannedBytes: measuredBytes,
  budgets: z.array(plannedBudget),
  /** Said plainly where no plan is possible, e.g. stale observations. */
  frozen: z.string().nullable(),
  /** Decided and told, but not written. */
  dryRun: z.boolean().optional(),
  /** SHA-256 of the recorded input (`plan.recorded`): the same input decides the same budgets, bit by bit. */
  inputDigest: z.string().optional(),
});
export type BudgetPlan = z.infer<typeof budgetPlan>;

/** What a plan was decided from, as JSON, deflated, in base64, cut into parts that fit a message. */
export const recordedInput = z.object({
  plan: z.string(),
  host: z.string(),
  digest: z.string(),
  part: z.number().int().nonnegative(),
  parts: z.number().int().positive(),
  data: z.string(),
});
export type RecordedInput = z.infer<typeof recordedInput>;

export const refusedDecision = z.object({
  at: instantMs,
  host: z.string(),
  /** Null: the whole host. */
  container: z.string().nullable(),
  what: z.enum(['plan', 'write', 'restart', 'scale']),
  reason: z.string(),
});
export type RefusedDecision = z.infer<typeof refusedDecision>;

const count = z.number().int().nonnegative();
const size = z.number().nonnegative();

/** The state of the limit policy for one container; bounded. Ages count observed time only. */
export const limitCheckpoint = z.object({
  at: count,
  observedMs: count,
  limitBytes: measuredBytes,
  changedAtMs: count,
  foreign: z.boolean(),
  history: z.object({
    peaks: z.array(size).min(1).max(1_000),
    rises: z.array(size).min(1).max(1_000),
    bucketStartMs: count,
    lowBeforeBytes: measuredBytes,
    lowBytes: measuredBytes,
    lowStartMs: count,
    highWaterBytes: measuredBytes,
  }),
  scar: z.object({ guardBytes: size, weight: size, atMs: count }).nullable(),
  quietSteps: count,
});

/** Value of `limit-state/<host>.<container>`: what the planner remembers of a container between rounds. */
export const rememberedContainer = z.object({
  limit: limitCheckpoint,
  /** Part of the budget that is lent and not its own. */
  loanBytes: measuredBytes,
  incarnation: z.string(),
  oomKills: count.nullable(),
  maxEvents: count.nullable(),
  psiSomeTotalUs: count.nullable(),
});
export type RememberedContainer = z.infer<typeof rememberedContainer>;
