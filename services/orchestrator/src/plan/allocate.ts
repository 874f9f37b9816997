/**
 * Divides the capacity by demand alone, without memory of earlier plans: minimums, then floors, then wants, then what is idle as
 * loans. Because
 * nothing of the past enters, a shortage cannot make budgets oscillate.
 */
import type { Demand } from './demand.ts';
import { serve } from './share.ts';

export interface Allocation {
  readonly budgetBytes: ReadonlyMap<string, number>;
  readonly leftBytes: number;
}

/** `reserveBytes` are lent to nobody. */
export function allocate(capacityBytes: number, demands: readonly Demand[], reserveBytes = 0): Allocation {
  const minimums = serve(
    capacityBytes,
    demands.map((demand) => claim(demand, demand.floorRank, demand.minimumBytes)),
  );
  const floors = serve(
    minimums.left,
    demands.map((demand) => claim(demand, demand.floorRank, demand.floorBytes - demand.minimumBytes)),
  );
  const wants = serve(
    floors.left,
    demands.map((demand) => claim(demand, demand.priorityRank, demand.wantBytes - demand.floorBytes)),
  );
  const loans = serve(
    wants.left - reserveBytes,
    demands.map((demand) => claim(demand, demand.priorityRank, demand.loanBytes)),
  );
  const budgetBytes = new Map(
    demands.map(({ state: { name } }) => [
      name,
      [minimums, floors, wants, loans].reduce((sum, { given }) => sum + (given.get(name) ?? 0), 0),
    ]),
  );
  const lent = [...loans.given.values()].reduce((sum, bytes) => sum + bytes, 0);
  return { budgetBytes, leftBytes: wants.left - lent };
}

function claim({ state }: Demand, rank: number, bytes: number) {
  return { name: state.name, rank, bytes };
}
