/** Containers and hosts for the tests of the planner, by hand and by chance. */
import type { ContainerSpec } from '@nautilus/contracts';
import fc from 'fast-check';
import { defaultTuning } from '../limits/tuning.ts';
import { granuleBytes } from '../plan/granule.ts';
import type { ContainerState, HostSnapshot, PlanPolicy } from '../plan/types.ts';

export const MiB = 1024 ** 2;
export const now = 1_800_000_000_000;

export const policy: PlanPolicy = {
  headroom: 0.25,
  deadBand: 0.05,
  staleAfterMs: 15_000,
  settleMs: 30_000,
  idleReserve: 0.1,
  tuning: defaultTuning,
};

export function container(
  name: string,
  { spec, ...given }: Partial<Omit<ContainerState, 'name' | 'spec'>> & { spec?: Partial<ContainerSpec> } = {},
): ContainerState {
  return {
    name,
    spec: {
      minimumBytes: 64 * MiB,
      maximumBytes: 1024 * MiB,
      priority: 'normal',
      policy: 'burstable',
      resize: 'any-time',
      scale: null,
      ...spec,
    },
    leasedBytes: 0,
    liveBytes: 0,
    highWaterBytes: given.leasedBytes ?? 0,
    refusedBytes: 0,
    budgetBytes: 64 * MiB,
    connected: true,
    at: now - 1_000,
    desired: null,
    ...given,
  };
}

export function hostOf(containers: readonly ContainerState[], capacityBytes = 4096 * MiB): HostSnapshot {
  return { host: 'h1', grantableBytes: capacityBytes, lingeringBytes: 0, at: now - 500, containers };
}

/** What the host looks like after it has obeyed a plan, with the same use. */
export function obeyed(
  snapshot: HostSnapshot,
  budgets: readonly { readonly container: string; readonly budgetBytes: number }[],
  decidedAt: number,
): HostSnapshot {
  const byName = new Map(budgets.map((budget) => [budget.container, budget.budgetBytes]));
  return {
    ...snapshot,
    containers: snapshot.containers.map((each) => {
      const budgetBytes = byName.get(each.name) ?? each.budgetBytes;
      const isSame = each.desired?.budgetBytes === budgetBytes;
      return {
        ...each,
        budgetBytes,
        desired: isSame ? each.desired : { budgetBytes, decidedAt },
      };
    }),
  };
}

const anyContainer = fc
  .record({
    name: fc.stringMatching(/^[a-z]{1,6}$/),
    minimum: fc.nat(64),
    range: fc.nat(512),
    priority: fc.constantFrom('critical', 'high', 'normal', 'low', 'maintenance'),
    policy: fc.constantFrom('guaranteed', 'burstable', 'adaptive'),
    leased: fc.double({ min: 0, max: 1, noNaN: true }),
    highWater: fc.double({ min: 0, max: 1, noNaN: true }),
    refused: fc.oneof(fc.constant(0), fc.nat(64 * MiB)),
    ageMs: fc.nat(15_000),
    old: fc.option(fc.record({ share: fc.double({ min: 0, max: 1, noNaN: true }), ageMs: fc.nat(120_000) })),
  })
  .map(({ name, minimum, range, leased, highWater, refused, ageMs, old, ...spec }) => {
    const minimumBytes = minimum * granuleBytes;
    const maximumBytes = minimumBytes + range * granuleBytes;
    const leasedBytes = Math.floor(leased * maximumBytes);
    return container(name, {
      spec: { ...spec, minimumBytes, maximumBytes },
      leasedBytes,
      highWaterBytes: Math.max(leasedBytes, Math.floor(highWater * maximumBytes)),
      refusedBytes: refused,
      at: now - ageMs,
      desired:
        old === null
          ? null
          : {
              budgetBytes: minimumBytes + Math.floor(old.share * range) * granuleBytes,
              decidedAt: now - old.ageMs,
            },
    });
  });

/** Hosts whose minimums fit, as the configuration guarantees; from far too small for the demand to far too large. */
export const anyHost: fc.Arbitrary<HostSnapshot> = fc
  .tuple(
    fc.uniqueArray(anyContainer, { selector: (each) => each.name, minLength: 1, maxLength: 20 }),
    fc.double({ min: 0, max: 1.5, noNaN: true }),
    fc.nat(64 * MiB),
  )
  .map(([containers, share, lingeringBytes]) => {
    const sum = (pick: (spec: ContainerSpec) => number) =>
      containers.reduce((total, each) => total + pick(each.spec), 0);
    const minimums = sum((spec) => spec.minimumBytes);
    const capacity = minimums + Math.floor((sum((spec) => spec.maximumBytes) - minimums) * share);
    return { ...hostOf(containers, capacity + granuleBytes + lingeringBytes), lingeringBytes };
  });
