import type { DesiredBudget } from '@nautilus/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyBudgets, type BudgetHolder, claimOf } from './budgets.ts';

const wish = (budgetBytes: number, epoch = 5): DesiredBudget => ({
  budgetBytes,
  epoch,
  plan: 'p1',
  reason: 'planned',
  decidedAt: 0,
});
const holder = (
  name: string,
  budgetBytes: number,
  leasedBytes: number,
  maximumBytes = 1000,
): BudgetHolder => ({ name, budgetBytes, leasedBytes, maximumBytes });
const host = { grantableBytes: 1000, lingeringBytes: 0, epoch: 3 };

describe('applyBudgets()', () => {
  it('applies decreases and increases that fit', () => {
    const outcome = applyBudgets(
      [holder('a', 600, 100), holder('b', 400, 100)],
      new Map([
        ['a', wish(200)],
        ['b', wish(800)],
      ]),
      host,
    );
    expect(outcome.changes.map(({ container, budgetBytes }) => [container, budgetBytes])).toEqual([
      ['a', 200],
      ['b', 800],
    ]);
    expect(outcome.epoch).toBe(5);
  });

  it('lets an increase wait for what the decreased container still holds', () => {
    const outcome = applyBudgets(
      [holder('a', 600, 500), holder('b', 400, 100)],
      new Map([
        ['a', wish(200)],
        ['b', wish(800)],
      ]),
      host,
    );
    expect(outcome.changes.map(({ container, budgetBytes }) => [container, budgetBytes])).toEqual([
      ['a', 200],
      ['b', 500],
    ]);
    expect(outcome.waiting).toEqual([{ container: 'b', missingBytes: 300 }]);
  });

  it('refuses an epoch smaller than one that was obeyed', () => {
    const outcome = applyBudgets([holder('a', 600, 0)], new Map([['a', wish(100, 2)]]), host);
    expect(outcome.changes).toEqual([]);
    expect(outcome.refused).toMatchObject([{ container: 'a', code: 'stale_epoch' }]);
  });

  it('refuses a container that is not configured, and clamps to the maximum', () => {
    const outcome = applyBudgets(
      [holder('a', 10, 0, 50)],
      new Map([
        ['a', wish(500)],
        ['ghost', wish(1)],
      ]),
      host,
    );
    expect(outcome.changes).toMatchObject([{ container: 'a', budgetBytes: 50 }]);
    expect(outcome.refused).toMatchObject([{ container: 'ghost', code: 'unknown_container' }]);
  });

  it('never claims more than the host has, if it did not before', () => {
    const holders = fc.array(fc.record({ budget: fc.nat(300), leased: fc.nat(300), wish: fc.nat(900) }), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(holders, fc.nat(200), (rows, lingeringBytes) => {
        const list = rows.map((row, index) => holder(`c${index}`, row.budget, row.leased, 900));
        const before = list.reduce((sum, one) => sum + claimOf(one), 0);
        const outcome = applyBudgets(list, new Map(rows.map((row, index) => [`c${index}`, wish(row.wish)])), {
          ...host,
          lingeringBytes,
        });
        const budgets = new Map(outcome.changes.map((change) => [change.container, change.budgetBytes]));
        const after = list.reduce(
          (sum, one) => sum + claimOf({ ...one, budgetBytes: budgets.get(one.name) ?? one.budgetBytes }),
          0,
        );
        expect(after).toBeLessThanOrEqual(Math.max(before, host.grantableBytes - lingeringBytes));
      }),
    );
  });
});
