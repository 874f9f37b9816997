import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyHost, now, obeyed, policy } from '../testing/planner-cases.ts';
import { demandOf } from './demand.ts';
import { planBudgets } from './planner.ts';
import type { HostSnapshot } from './types.ts';

const runs = { numRuns: 250 };

function decide(snapshot: HostSnapshot) {
  const plan = planBudgets(snapshot, policy, now);
  const byName = new Map(plan.budgets.map((budget) => [budget.container, budget]));
  const rows = snapshot.containers.map((state) => ({
    state,
    demand: demandOf(state, policy, now),
    budget: byName.get(state.name)?.budgetBytes ?? Number.NaN,
  }));
  return { plan, rows };
}

describe('for any host', () => {
  it('the budgets fit into the capacity and each lies within its limits', () => {
    fc.assert(
      fc.property(anyHost, (snapshot) => {
        const { plan, rows } = decide(snapshot);
        const total = rows.reduce((sum, { budget }) => sum + budget, 0);
        expect(plan.plannedBytes).toBe(total);
        expect(total).toBeLessThanOrEqual(snapshot.grantableBytes - snapshot.lingeringBytes);
        for (const { state, budget } of rows) {
          expect(budget).toBeGreaterThanOrEqual(state.spec.minimumBytes);
          expect(budget).toBeLessThanOrEqual(state.spec.maximumBytes);
        }
      }),
      runs,
    );
  });

  it('nobody goes below what he holds, and no guarantee below its high water, while all of that fits', () => {
    fc.assert(
      fc.property(anyHost, (snapshot) => {
        const { plan, rows } = decide(snapshot);
        const floors = rows.reduce((sum, { demand }) => sum + demand.floorBytes, 0);
        fc.pre(floors <= plan.capacityBytes);
        for (const { state, budget } of rows) {
          expect(budget).toBeGreaterThanOrEqual(state.leasedBytes);
          if (state.spec.policy === 'guaranteed') expect(budget).toBeGreaterThanOrEqual(state.highWaterBytes);
        }
      }),
      runs,
    );
  });

  it('critical is never cut while a lower class is above its minimum', () => {
    let cuts = 0;
    fc.assert(
      fc.property(anyHost, (snapshot) => {
        const { rows } = decide(snapshot);
        const isCut = rows.some(
          ({ state, demand, budget }) => state.spec.priority === 'critical' && budget < demand.floorBytes,
        );
        fc.pre(isCut);
        cuts += 1;
        for (const { state, budget } of rows) {
          if (state.spec.priority !== 'critical') expect(budget).toBe(state.spec.minimumBytes);
        }
      }),
      { numRuns: 60, maxSkipsPerRun: 1000 },
    );
    expect(cuts).toBe(60);
  });

  it('nobody gets more than its floor while someone lacks his own', () => {
    fc.assert(
      fc.property(anyHost, (snapshot) => {
        const { rows } = decide(snapshot);
        const isShort = rows.some(({ demand, budget }) => budget < demand.floorBytes);
        fc.pre(isShort);
        for (const { demand, budget } of rows) expect(budget).toBeLessThanOrEqual(demand.floorBytes);
      }),
      { numRuns: 100, maxSkipsPerRun: 1000 },
    );
  });

  it('the order of the containers does not matter, and the same question has the same answer', () => {
    const shuffled = anyHost.chain((snapshot) =>
      fc
        .shuffledSubarray([...snapshot.containers], {
          minLength: snapshot.containers.length,
          maxLength: snapshot.containers.length,
        })
        .map((containers) => [snapshot, { ...snapshot, containers }] as const),
    );
    fc.assert(
      fc.property(shuffled, ([one, other]) => {
        expect(planBudgets(other, policy, now)).toEqual(planBudgets(one, policy, now));
      }),
      runs,
    );
  });

  it('a plan that was obeyed is followed by the same plan, however short memory is', () => {
    fc.assert(
      fc.property(anyHost, (snapshot) => {
        const first = planBudgets(snapshot, policy, now);
        const second = planBudgets(obeyed(snapshot, first.budgets, now), policy, now);
        const budgets = ({ budgets: list }: typeof first) => list.map(({ budgetBytes }) => budgetBytes);
        expect(budgets(second)).toEqual(budgets(first));
      }),
      runs,
    );
  });

  it('a demand that is refused is met as far as the host has room', () => {
    fc.assert(
      fc.property(anyHost, (snapshot) => {
        const { plan, rows } = decide(snapshot);
        const wants = rows.reduce((sum, { demand }) => sum + demand.wantBytes, 0);
        fc.pre(wants <= plan.capacityBytes);
        for (const { state, demand, budget } of rows) {
          if (state.refusedBytes > 0) expect(budget).toBeGreaterThanOrEqual(demand.wantBytes);
        }
      }),
      runs,
    );
  });

  it('every budget has a reason', () => {
    fc.assert(
      fc.property(anyHost, (snapshot) => {
        for (const { reason } of planBudgets(snapshot, policy, now).budgets) {
          expect(reason).toMatch(/^holds (?:nothing|\d).*: wants \d/);
          expect(reason).not.toMatch(/undefined|NaN|null/);
        }
      }),
      runs,
    );
  });
});
