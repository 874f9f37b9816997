/**
 * What may be in force although another budget was decided: an agent obeys later, or finds that it must not. Until it
 * reports a decrease, the bytes of that decrease are not given to anybody else.
 */
import { formatBytes, type PlannedBudget } from '@nautilus/contracts';
import { roundDown } from './granule.ts';
import type { ContainerState, HostSnapshot, PlannedHost } from './types.ts';

/**
 * A report that might be older than what is on its way says nothing for so long. An agent that reports something
 * smaller after it has another reason, such as a cap, and will not obey any more.
 */
const settledAfterMs = 30_000;

export interface Standing {
  /** The most that is in force, or may come to be before the decided budget is. */
  readonly ceilingBytes: number;
  /** Undefined while something is on its way. */
  readonly replacedBytes: number | undefined;
}

export function standingOf({ desired, budgetBytes, kernel, at }: ContainerState): Standing {
  const inForce = Math.max(budgetBytes, kernel?.limitBytes ?? 0);
  if (desired === null) return { ceilingBytes: inForce, replacedBytes: inForce };
  const ageMs = at - desired.decidedAt;
  const { replacedBytes } = desired;
  // The same number as before would look obeyed before it is: 5 → 7 → 5, with the 7 still on its way. Taking it for an
  // answer when nothing was known to be on its way is refuted by seed 894 of loop.property.test.ts.
  const isAnswer = replacedBytes !== undefined && replacedBytes !== desired.budgetBytes;
  const isSettled =
    inForce === desired.budgetBytes
      ? ageMs > (isAnswer ? 0 : settledAfterMs)
      : inForce < desired.budgetBytes && ageMs > settledAfterMs;
  if (isSettled) return { ceilingBytes: desired.budgetBytes, replacedBytes: inForce };
  const ceilingBytes = Math.max(inForce, desired.budgetBytes, desired.ceilingBytes ?? 0);
  return { ceilingBytes, replacedBytes: undefined };
}

/**
 * Holds increases back to what is certainly free; the rest follows when the agent has reported. Whoever comes first in
 * the plan's ranks comes first here.
 */
export function gateIncreases(
  plan: PlannedHost,
  snapshot: HostSnapshot,
  rankOf: (name: string) => number,
): PlannedHost {
  if (plan.frozen !== null) return plan;
  const capacityBytes = roundDown(Math.max(0, snapshot.grantableBytes - snapshot.lingeringBytes));
  const states = new Map(snapshot.containers.map((state) => [state.name, state]));
  const ceilings = new Map(snapshot.containers.map((state) => [state.name, standingOf(state).ceilingBytes]));
  let free = capacityBytes - [...ceilings.values()].reduce((sum, bytes) => sum + bytes, 0);
  const gated = new Map<string, PlannedBudget>();
  const order = [...plan.budgets].sort(
    (a, b) => rankOf(a.container) - rankOf(b.container) || (a.container < b.container ? -1 : 1),
  );
  for (const budget of order) {
    const ceiling = ceilings.get(budget.container) ?? 0;
    const extra = Math.max(0, budget.budgetBytes - ceiling);
    const given = Math.min(extra, roundDown(Math.max(0, free)));
    free -= given;
    gated.set(
      budget.container,
      given === extra ? budget : held(budget, ceiling + given, states.get(budget.container)),
    );
  }
  const budgets = plan.budgets.map((budget) => gated.get(budget.container) ?? budget);
  return { ...plan, budgets, plannedBytes: budgets.reduce((sum, each) => sum + each.budgetBytes, 0) };
}

function held(budget: PlannedBudget, mostBytes: number, state: ContainerState | undefined): PlannedBudget {
  // A budget that was decided already is inside its ceiling and stays at least that.
  const budgetBytes = Math.max(roundDown(mostBytes), state?.desired?.budgetBytes ?? 0);
  const waits = formatBytes(budget.budgetBytes - budgetBytes);
  return {
    ...budget,
    budgetBytes,
    reason: `${budget.reason}; ${waits} of it wait until the agent has reported the decreases that they come from`,
  };
}
