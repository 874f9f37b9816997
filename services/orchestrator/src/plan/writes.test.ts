import type { DesiredBudget, PlannedBudget } from '@nautilus/contracts';
import { describe, expect, it } from 'vitest';
import { newerEpoch, type StoredBudget, writesFor } from './writes.ts';

const planned = (container: string, budgetBytes: number): PlannedBudget => ({
  container,
  budgetBytes,
  previousBytes: null,
  leasedBytes: 0,
  reason: `reason of ${container}`,
});
const stored = (budgetBytes: number, epoch = 7): StoredBudget => ({
  revision: 10 + budgetBytes,
  value: { budgetBytes, epoch, plan: 'old', reason: 'old', decidedAt: 1 } satisfies DesiredBudget,
});
const decision = { plan: 'new', epoch: 7, decidedAt: 99 };

describe('writesFor', () => {
  it('lists changes only, the largest decrease first and the largest increase last', () => {
    const old = new Map([
      ['same', stored(5)],
      ['up', stored(5)],
      ['down', stored(5)],
      ['far-down', stored(9)],
    ]);
    const budgets = [
      planned('same', 5),
      planned('up', 8),
      planned('new', 1),
      planned('down', 4),
      planned('far-down', 2),
    ];
    const writes = writesFor(budgets, old, decision);
    expect(writes.map(({ container, revision, changeBytes }) => [container, revision, changeBytes])).toEqual([
      ['far-down', 19, -7],
      ['down', 15, -1],
      ['new', null, 1],
      ['up', 15, 3],
    ]);
    expect(writes[0]?.value).toEqual({
      budgetBytes: 2,
      ceilingBytes: 2,
      epoch: 7,
      plan: 'new',
      reason: 'reason of far-down',
      decidedAt: 99,
    });
  });

  it('confirms a budget of an older epoch, and leaves its age', () => {
    const writes = writesFor([planned('same', 5)], new Map([['same', stored(5, 6)]]), decision);
    expect(writes).toHaveLength(1);
    expect(writes[0]).toMatchObject({ changeBytes: 0, value: { epoch: 7, plan: 'new', decidedAt: 1 } });
  });
});

describe('newerEpoch', () => {
  it.each([
    { epochs: [], newer: null },
    { epochs: [6, 7], newer: null },
    { epochs: [6, 9, 8], newer: 9 },
  ])('of $epochs is $newer', ({ epochs, newer }) => {
    const budgets = new Map(epochs.map((epoch, index) => [`c${index}`, stored(1, epoch)]));
    expect(newerEpoch(budgets, 7)).toBe(newer);
  });
});
