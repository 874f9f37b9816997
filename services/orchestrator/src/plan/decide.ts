/**
 * One decision for one host: budgets, held back to what is certainly free, and what to remember. It reads nothing but
 * its arguments, so what was recorded decides the same again, bit by bit.
 */
import type { RememberedContainer } from '@nautilus/contracts';
import { gateIncreases } from './ceiling.ts';
import { demandsOf, planDemands } from './planner.ts';
import { rememberedAfter } from './remember.ts';
import type { HostSnapshot, PlanDecision, PlanPolicy } from './types.ts';

export function decidePlan(snapshot: HostSnapshot, policy: PlanPolicy, now: number): PlanDecision {
  const assessed = demandsOf(snapshot, policy, now);
  const demands = new Map(assessed.map((demand) => [demand.state.name, demand]));
  const wished = planDemands(snapshot, assessed, policy, now);
  const plan = gateIncreases(wished, snapshot, (name) => demands.get(name)?.floorRank ?? 0);
  const remembered = new Map<string, RememberedContainer>();
  for (const { container, budgetBytes } of plan.budgets) {
    const demand = demands.get(container);
    // Of who is not reported any more the old memory stays as it is.
    const next = demand === undefined ? null : rememberedAfter(demand, budgetBytes);
    if (next !== null) remembered.set(container, next);
  }
  return { plan, remembered, isHeld: plan.plannedBytes < wished.plannedBytes };
}
