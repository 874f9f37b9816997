/** The reason of one budget in words and numbers: what the container holds, what that calls for, and what it gets. */
import { formatBytes } from '@nautilus/contracts';
import { type Demand, keptBytes, type LimitBasis } from './demand.ts';
import type { Steadied } from './steady.ts';
import type { PlanPolicy } from './types.ts';

export interface Room {
  readonly capacityBytes: number;
  /** Sum of all floors: what the host would have to hold for nobody to be cut. */
  readonly floorsBytes: number;
  readonly minimumsBytes: number;
}

export function reasonFor(
  demand: Demand,
  { budgetBytes, stays }: Steadied,
  room: Room,
  policy: PlanPolicy,
  now: number,
): string {
  return [calls(demand, policy), gets(demand, budgetBytes, room), staysBecause()]
    .filter((part) => part !== '')
    .join('; ');

  function staysBecause(): string {
    const desired = demand.state.desired;
    if (stays === null || desired === null) return '';
    if (stays === 'dead-band') {
      return `stays at ${formatBytes(budgetBytes)}: the change is below ${percent(policy.deadBand)} of it`;
    }
    const ageS = Math.max(0, Math.round((now - desired.decidedAt) / 1000));
    return `stays at ${formatBytes(budgetBytes)}: that was decided ${ageS}s ago, and there is room`;
  }
}

function calls(demand: Demand, { headroom }: PlanPolicy): string {
  const { state, wantBytes, maximumBytes, minimumBytes, limit } = demand;
  if (limit !== null) return callsByKernel(demand, limit);
  const kept = keptBytes(state);
  const holds =
    kept > state.leasedBytes
      ? `holds ${formatBytes(state.leasedBytes)} and was guaranteed its high water of ${formatBytes(kept)}`
      : state.leasedBytes === 0
        ? 'holds nothing'
        : `holds ${formatBytes(state.leasedBytes)}`;
  const refused = state.refusedBytes > 0 ? ` and was refused ${formatBytes(state.refusedBytes)}` : '';
  const wished = kept * (1 + headroom) + state.refusedBytes;
  const why =
    wished > maximumBytes
      ? `its maximum (${formatBytes(wished)} would follow)`
      : wantBytes === minimumBytes
        ? 'its minimum'
        : `with ${percent(headroom)} headroom`;
  return `${holds}${refused}: wants ${formatBytes(wantBytes)}, ${why}`;
}

function callsByKernel({ state, wantBytes }: Demand, { decision, outlook }: LimitBasis): string {
  const refused = state.refusedBytes > 0 ? `; was refused ${formatBytes(state.refusedBytes)} of leases` : '';
  const foreseen =
    outlook.peakBytes > decision.reason.numbers.peakBytes
      ? `; its peak is foreseen to come to ${formatBytes(outlook.peakBytes)} within ${Math.round(outlook.horizonMs / 60_000)}min`
      : '';
  const last = state.kernel?.lastLimit ?? null;
  const failed =
    last !== null && last.outcome !== 'applied'
      ? `; the last write of its limit was ${last.outcome}: ${last.reason}`
      : '';
  return `${decision.reason.words}${foreseen}${refused}${failed}: wants ${formatBytes(wantBytes)}`;
}

function gets(demand: Demand, budgetBytes: number, room: Room): string {
  const { state, wantBytes, floorBytes, minimumBytes, maximumBytes } = demand;
  const capacity = formatBytes(room.capacityBytes);
  if (budgetBytes < minimumBytes) {
    return `gets ${formatBytes(budgetBytes)}, below its minimum: all minimums need ${formatBytes(room.minimumsBytes)} and the host has ${capacity}`;
  }
  if (budgetBytes < floorBytes) {
    const back = Math.max(0, state.leasedBytes - budgetBytes);
    return (
      `is cut to ${formatBytes(budgetBytes)}: what is held or guaranteed needs ${formatBytes(room.floorsBytes)} and the host has ` +
      `${capacity}, so ${state.spec.priority} ${state.spec.policy} gives way` +
      (back > 0 ? `; it is asked to give back ${formatBytes(back)}` : '')
    );
  }
  if (state.leasedBytes > maximumBytes) {
    return `holds more than its maximum of ${formatBytes(maximumBytes)}; it is asked to give back ${formatBytes(state.leasedBytes - budgetBytes)}`;
  }
  if (demand.loanBytes > 0 && budgetBytes > wantBytes) {
    return `borrows ${formatBytes(budgetBytes - wantBytes)} that is idle, until someone needs it`;
  }
  if (budgetBytes < wantBytes) {
    return `gets ${formatBytes(budgetBytes)}: the rest of ${capacity} is held, or goes to higher priorities and equals`;
  }
  return '';
}

function percent(ratio: number): string {
  return `${Math.round(ratio * 1000) / 10}%`;
}
