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
});
export type BudgetPlan = z.infer<typeof budgetPlan>;
