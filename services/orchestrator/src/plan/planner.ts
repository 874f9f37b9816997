/** The decision of the orchestrator: budgets for the containers of one host, each with its reason. Data in, data out. */
import { formatBytes, type PlannedBudget } from '@nautilus/contracts';
import { allocate } from './allocate.ts';
import { type Demand, demandOf } from './demand.ts';
import { freshness } from './freshness.ts';
import { roundDown } from './granule.ts';
import { reasonFor } from './reason.ts';
import { steady } from './steady.ts';
import type { ContainerState, HostSnapshot, PlannedHost, PlanPolicy } from './types.ts';

export function planBudgets(snapshot: HostSnapshot, policy: PlanPolicy, now: number): PlannedHost {
  return planDemands(snapshot, demandsOf(snapshot, policy, now), policy, now);
}

/** Of all that are reported; none while the host itself is not. */
export function demandsOf(snapshot: HostSnapshot, policy: PlanPolicy, now: number): readonly Demand[] {
  if (freshness('the host', snapshot.at, policy, now) !== null) return [];
  return snapshot.containers
    .filter(({ at }) => freshness('it', at, policy, now) === null)
    .map((container) => demandOf(container, policy, now));
}

export function planDemands(
  snapshot: HostSnapshot,
  assessed: readonly Demand[],
  policy: PlanPolicy,
  now: number,
): PlannedHost {
  const capacityBytes = roundDown(Math.max(0, snapshot.grantableBytes - snapshot.lingeringBytes));
  const containers = [...snapshot.containers].sort((a, b) => (a.name < b.name ? -1 : 1));
  const stale = freshness('the host', snapshot.at, policy, now);
  if (stale !== null) return frozen(capacityBytes, containers, stale);

  // Whoever is not reported any more keeps what he has: nobody knows what he holds.
  const kept = new Map<string, string>();
  for (const { name, at, desired } of containers) {
    const why = freshness('it', at, policy, now);
    if (why !== null) kept.set(name, why);
    else if (snapshot.quiet === true && desired !== null) kept.set(name, 'the controller has just started');
  }
  const reserved = sum(containers.filter(({ name }) => kept.has(name)).map(currentBudget));
  if (reserved > capacityBytes) {
    return frozen(
      capacityBytes,
      containers,
      `containers that keep their budgets (not reported any more, or the controller has just started) have ${formatBytes(reserved)}, more than the ${formatBytes(capacityBytes)} of the host`,
    );
  }

  const room = roundDown(capacityBytes - reserved);
  const demands = assessed.filter(({ state }) => !kept.has(state.name));
  const allocated = allocate(room, demands, policy.idleReserve * capacityBytes).budgetBytes;
  const decided = steady(room, demands, allocated, policy, now);
  const sums = {
    capacityBytes: room,
    floorsBytes: sum(demands.map((demand) => demand.floorBytes)),
    minimumsBytes: sum(demands.map((demand) => demand.minimumBytes)),
  };
  const byName = new Map(demands.map((demand) => [demand.state.name, demand]));
  const budgets = containers.map((container): PlannedBudget => {
    const demand = byName.get(container.name);
    const result = decided.get(container.name);
    if (demand === undefined || result === undefined) {
      return keep(container, `keeps its budget: ${kept.get(container.name)}`);
    }
    return {
      container: container.name,
      budgetBytes: result.budgetBytes,
      previousBytes: container.desired?.budgetBytes ?? null,
      leasedBytes: container.leasedBytes,
      reason: reasonFor(demand, result, sums, policy, now),
    };
  });
  return {
    capacityBytes,
    plannedBytes: sum(budgets.map((budget) => budget.budgetBytes)),
    budgets,
    frozen: null,
  };
}

function frozen(capacityBytes: number, containers: readonly ContainerState[], why: string): PlannedHost {
  const budgets = containers.map((container) => keep(container, `keeps its budget: ${why}`));
  return {
    capacityBytes,
    plannedBytes: sum(budgets.map((budget) => budget.budgetBytes)),
    budgets,
    frozen: why,
  };
}

function keep(container: ContainerState, reason: string): PlannedBudget {
  return {
    container: container.name,
    budgetBytes: currentBudget(container),
    previousBytes: container.desired?.budgetBytes ?? null,
    leasedBytes: container.leasedBytes,
    reason,
  };
}

/** What was planned last; before the first plan what the agent started with. */
function currentBudget(container: ContainerState): number {
  return container.desired?.budgetBytes ?? container.budgetBytes;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
