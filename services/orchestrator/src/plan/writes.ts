/**
 * What has to be written for a plan to hold, in which order. Decreases come first, so that no instant between two
 * writes promises more than the host has; budgets of an older epoch are confirmed, so that its leader cannot write
 * them any more.
 */
import type { DesiredBudget, PlannedBudget } from '@nautilus/contracts';
import type { Standing } from './ceiling.ts';

export interface StoredBudget {
  readonly value: DesiredBudget;
  readonly revision: number;
}

export interface Write {
  readonly container: string;
  /** Compared with the stored one; null creates. */
  readonly revision: number | null;
  readonly value: DesiredBudget;
  readonly changeBytes: number;
}

export interface Decision {
  /** Id of the plan. */
  readonly plan: string;
  readonly epoch: number;
  readonly decidedAt: number;
}

export function writesFor(
  budgets: readonly PlannedBudget[],
  stored: ReadonlyMap<string, StoredBudget>,
  { plan, epoch, decidedAt }: Decision,
  standings: ReadonlyMap<string, Standing> = new Map(),
): readonly Write[] {
  const writes: Write[] = [];
  for (const { container, budgetBytes, reason } of budgets) {
    const old = stored.get(container) ?? null;
    const isSame = old !== null && old.value.budgetBytes === budgetBytes;
    if (isSame && old.value.epoch === epoch) continue;
    const standing = standings.get(container);
    writes.push({
      container,
      revision: old?.revision ?? null,
      changeBytes: budgetBytes - (old?.value.budgetBytes ?? 0),
      // A confirmed budget keeps its age: a change of leadership must not delay what is due.
      value: {
        budgetBytes,
        epoch,
        plan,
        reason,
        decidedAt: isSame ? old.value.decidedAt : decidedAt,
        ceilingBytes: Math.max(budgetBytes, standing?.ceilingBytes ?? 0),
        replacedBytes: isSame ? old.value.replacedBytes : standing?.replacedBytes,
      },
    });
  }
  return writes.sort((a, b) => a.changeBytes - b.changeBytes || (a.container < b.container ? -1 : 1));
}

/** The epoch of a leader that came after this one, or null. Its budgets are not overwritten. */
export function newerEpoch(stored: ReadonlyMap<string, StoredBudget>, epoch: number): number | null {
  const newest = Math.max(0, ...[...stored.values()].map(({ value }) => value.epoch));
  return newest > epoch ? newest : null;
}
