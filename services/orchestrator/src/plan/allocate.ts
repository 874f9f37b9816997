/**
 * Divides the capacity by demand alone, without memory of earlier plans: minimums, then floors, then wants. Because
 * nothing of the past enters, a shortage cannot make budgets oscillate.
 */
import type { Demand } from './demand.ts';
import { serve } from './share.ts';

export interface Allocation {
  readonly budgetBytes: ReadonlyMap<string, number>;
  readonly leftBytes: number;
}

export function allocate(capacityBytes: number, demands: readonly Demand[]): Allocation {
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
  const budgetBytes = new Map(
    demands.map(({ state: { name } }) => [
      name,
      [minimums, floors, wants].reduce((sum, { given }) => sum + (given.get(name) ?? 0), 0),
    ]),
  );
  return { budgetBytes, leftBytes: wants.left };
}

function claim({ state }: Demand, rank: number, bytes: number) {
  return { name: state.name, rank, bytes };
}
