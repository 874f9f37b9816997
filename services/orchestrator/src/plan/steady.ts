/**
 * Keeps budgets from moving for nothing: a change inside the dead band is not made, and a young budget is not lowered,
 * as long as the sum still fits. A refusal is always answered, and a floor always reached.
 */
import type { Demand } from './demand.ts';
import type { PlanPolicy } from './types.ts';

export interface Steadied {
  readonly budgetBytes: number;
  /** Why the earlier budget stays although the demand says another; null when it follows the demand. */
  readonly stays: 'dead-band' | 'settling' | null;
}

export function steady(
  capacityBytes: number,
  demands: readonly Demand[],
  allocated: ReadonlyMap<string, number>,
  policy: PlanPolicy,
  now: number,
): ReadonlyMap<string, Steadied> {
  const result = new Map<string, Steadied>();
  const lowered: { name: string; old: number; stays: 'dead-band' | 'settling' }[] = [];
  let spare = capacityBytes;
  for (const demand of [...demands].sort(byPriorityThenName)) {
    const { name, desired } = demand.state;
    const next = allocated.get(name) ?? 0;
    const stays = desired === null ? null : whyStay(demand, desired, next, policy, now);
    // A raise that is not made only frees bytes. A cut that is not made costs some, so it waits until the rest is known.
    const raise = stays !== null && desired !== null && desired.budgetBytes <= next;
    if (stays !== null && desired !== null && !raise) {
      lowered.push({ name, old: desired.budgetBytes, stays });
    }
    const budgetBytes = raise ? desired.budgetBytes : next;
    result.set(name, { budgetBytes, stays: raise ? stays : null });
    spare -= budgetBytes;
  }
  for (const { name, old, stays } of lowered) {
    const more = old - (result.get(name)?.budgetBytes ?? 0);
    if (more > spare) continue;
    spare -= more;
    result.set(name, { budgetBytes: old, stays });
  }
  return result;
}

function whyStay(
  demand: Demand,
  desired: { readonly budgetBytes: number; readonly decidedAt: number },
  next: number,
  policy: PlanPolicy,
  now: number,
): 'dead-band' | 'settling' | null {
  const old = desired.budgetBytes;
  if (old === next || old < demand.floorBytes || old > demand.maximumBytes) return null;
  // The limit policy has its own band and cool-down, and those were measured. Only a loan still moves for nothing.
  if (demand.limit !== null && (next <= demand.wantBytes || old < demand.wantBytes)) return null;
  if (Math.abs(next - old) < policy.deadBand * old && !(next > old && demand.state.refusedBytes > 0)) {
    return 'dead-band';
  }
  return next < old && now - desired.decidedAt < policy.settleMs ? 'settling' : null;
}

function byPriorityThenName(a: Demand, b: Demand): number {
  return a.priorityRank - b.priorityRank || (a.state.name < b.state.name ? -1 : 1);
}
