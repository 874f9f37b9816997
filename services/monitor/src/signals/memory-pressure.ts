/** Memory of the host and of what Nautilus leases from it: how full, on the ladder of the configuration (SPEC M3). */
import { type AgentSample, formatBytes, formatDuration } from '@nautilus/contracts';
import { flapControl } from '../ladder/policies.ts';
import { percent } from './percent.ts';
import type { SampleSignal, Scope, ScopeReading } from './signal.ts';

function reading(kind: Scope['kind'], name: string, used: number, limit: number): ScopeReading {
  // Nothing leased from a limit of nothing is neither full nor empty; something leased from it is over.
  const value = limit > 0 ? used / limit : used > 0 ? 1 : Number.NaN;
  return { scope: { kind, name }, value, used, limit };
}

/** The host first: whoever reads the alerts of one sample in order meets the wider scope first. */
export function readMemory(sample: AgentSample): readonly ScopeReading[] {
  const { totalBytes, availableBytes } = sample.memory;
  return [
    reading('host', sample.host, totalBytes - availableBytes, totalBytes),
    ...sample.regions.map((region) =>
      reading('region', region.name, region.leasedBytes, region.capacityBytes),
    ),
    ...sample.pools.map((pool) => reading('pool', pool.name, pool.leasedBytes, pool.limitBytes)),
    ...sample.containers.map((container) =>
      reading('container', container.name, container.leasedBytes, container.spec.maximumBytes),
    ),
  ];
}

function advice({ kind, name }: Scope): string {
  switch (kind) {
    case 'host':
      return 'Find who grows, ask it to release, lower the budget or stop a container of low priority.';
    case 'region':
      return `Release segments of pools in this region, or raise regions.${name}.capacity.`;
    case 'pool':
      return `Release segments of this pool, or raise pools.${name}.max.`;
    case 'container':
      return `Ask it to release segments it no longer uses, or raise containers.${name}.max.`;
  }
}

export const memoryPressureSignal: SampleSignal = {
  name: 'memory-pressure',
  summary: 'Memory of a host, region, pool or container is nearly full.',
  on: 'sample',
  read: readMemory,
  ladder: (settings) => ({
    steps: settings.memorySteps,
    gap: settings.gap,
    raiseHoldMs: settings.raiseHoldMs,
    clearHoldMs: settings.clearHoldMs,
    longestGapMs: settings.silenceMs,
    flap: flapControl,
  }),
  describe({ scope, value, used, limit }, { state, tier, threshold }, settings) {
    const full = `Memory of ${scope.kind} ${scope.name} is ${percent(value)} full: ${formatBytes(used)} of ${formatBytes(limit)}.`;
    const below = `below ${percent(threshold)} for ${formatDuration(settings.clearHoldMs)}`;
    switch (state) {
      case 'raised':
        return `${full} ${tier.toUpperCase()}: at or above ${percent(threshold)}. ${advice(scope)}`;
      case 'lowered':
        return `${full} Down to ${tier.toUpperCase()}: ${below}. ${advice(scope)}`;
      case 'cleared':
        return `${full} Cleared: ${below}. Nothing to do.`;
    }
  },
};
