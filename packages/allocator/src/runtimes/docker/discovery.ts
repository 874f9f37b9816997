/** Which of the engine's containers are ours, and under which name: pure, from the list of the engine to the answer. */
import { isToken } from '@nautilus/contracts';
import type { ContainerState, ListedContainer } from './api.ts';

/** The value is the container's name in the configuration; empty stands for its name in Docker. */
export const memoryLabel = 'nautilus.memory';
/** The value is the configured name of the container that a replica was made from. */
export const replicaLabel = 'nautilus.replica-of';

export interface FoundContainer {
  readonly name: string;
  readonly id: string;
  readonly state: ContainerState;
  readonly replicaOf: string | null;
}

/** Asks to be managed and cannot be. */
export interface RejectedContainer {
  readonly id: string;
  readonly dockerName: string;
  readonly reason: string;
}

export interface Discovery {
  readonly found: ReadonlyMap<string, FoundContainer>;
  readonly rejected: readonly RejectedContainer[];
}

export function discover(
  listed: readonly ListedContainer[],
  configuredNames: ReadonlySet<string>,
): Discovery {
  const rejected: RejectedContainer[] = [];
  const claims = new Map<string, ListedContainer[]>();
  for (const container of listed) {
    const name = claimedName(container, configuredNames);
    if (name === null) continue;
    if (isToken(name)) claims.set(name, [...(claims.get(name) ?? []), container]);
    else {
      const reason = `${JSON.stringify(name)} is no name for a subject: label the container ${memoryLabel}=NAME with lower-case letters, digits and single "-"`;
      rejected.push({ id: container.Id, dockerName: dockerName(container), reason });
    }
  }
  const found = new Map<string, FoundContainer>();
  for (const [name, claimants] of claims) {
    const [winner, ...others] = claimants.toSorted(byClaim);
    if (winner === undefined) continue;
    const replicaOf = winner.Labels[replicaLabel] ?? null;
    found.set(name, { name, id: winner.Id, state: winner.State, replicaOf });
    for (const { Id, ...other } of others) {
      const reason = `${dockerName(winner)} (${winner.Id.slice(0, 12)}) is ${name} already; one container, one budget`;
      rejected.push({ id: Id, dockerName: dockerName(other), reason });
    }
  }
  return { found, rejected };
}

function claimedName(container: ListedContainer, configuredNames: ReadonlySet<string>): string | null {
  const own = dockerName(container);
  const label = container.Labels[memoryLabel];
  if (label !== undefined) return label.trim() === '' ? own : label.trim();
  return configuredNames.has(own) ? own : null;
}

/** The first without a second slash; the others are names that linked containers gave it. */
function dockerName({ Names }: Pick<ListedContainer, 'Names'>): string {
  const own = Names.find((name) => name.lastIndexOf('/') <= 0) ?? Names[0] ?? '';
  return own.replace(/^\//, '');
}

/** Who runs holds the memory; of two that run, the elder keeps what it has. */
function byClaim(a: ListedContainer, b: ListedContainer): number {
  return rank[a.State] - rank[b.State] || a.Created - b.Created || (a.Id < b.Id ? -1 : 1);
}

const rank: Readonly<Record<ContainerState, number>> = {
  running: 0,
  paused: 0,
  restarting: 1,
  created: 2,
  exited: 3,
  removing: 4,
  dead: 5,
  unknown: 5,
};
