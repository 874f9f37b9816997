/** One picture of the host, taken once a second: from the books, the ledgers of the owners, and the kernel. */
import { type AgentSample, metrics } from '@nautilus/contracts';
import { type probeHost, readHostMemory } from '@nautilus/native';
import type { Agent } from '../agent.ts';
import { allocationsOf, liveBytesOf, saturated } from '../memory/ledger-figures.ts';

export type HostFacts = ReturnType<typeof probeHost>;

export function takeSample(agent: Agent, facts: HostFacts, sequence: number): AgentSample {
  const { accounts, table, kept, shape } = agent;
  const liveByPool = new Map<string, number>();
  const liveByContainer = new Map<string, number>();
  const connected = new Set<string>();
  let allocations = table.counters.allocations;
  let mapped = 0;
  for (const lease of table.leases.values()) {
    const live = (lease.mode === 'kept' ? kept.liveBytesOf(lease) : liveBytesOf(lease)) ?? 0;
    allocations = saturated(allocations + allocationsOf(lease));
    liveByPool.set(lease.pool, (liveByPool.get(lease.pool) ?? 0) + live);
    liveByContainer.set(lease.container, (liveByContainer.get(lease.container) ?? 0) + live);
    if (lease.state === 'mapped') mapped += 1;
    if (lease.holders.size > 0) connected.add(lease.container);
  }
  const memory = readHostMemory();
  return {
    host: agent.host,
    instance: agent.instance,
    sequence,
    at: agent.now(),
    memory: {
      totalBytes: memory.totalBytes,
      availableBytes: memory.availableBytes,
      swapTotalBytes: memory.swapTotalBytes,
      swapFreeBytes: memory.swapFreeBytes,
      majorFaults: memory.majorFaults,
      psiSomeTotalUs: memory.psiSomeTotalUs,
      psiFullTotalUs: memory.psiFullTotalUs,
    },
    capacity: {
      managedBytes: shape.managedBytes,
      reservedBytes: shape.reservedBytes,
      grantableBytes: shape.grantableBytes,
      leasedBytes: accounts.leasedBytes,
      lingeringBytes: accounts.lingeringBytes,
    },
    regions: [...accounts.regions.values()].map(({ region, leasedBytes }) => ({
      name: region.name,
      capacityBytes: region.capacityBytes,
      leasedBytes,
      device: agent.deviceOf(region.name),
    })),
    pools: [...accounts.pools.values()].map(({ pool, leasedBytes, segments }) => ({
      name: pool.name,
      region: pool.region,
      strategy: pool.strategy,
      limitBytes: pool.limitBytes,
      leasedBytes,
      liveBytes: liveByPool.get(pool.name) ?? 0,
      segments,
    })),
    containers: [...accounts.containers.values()].map(({ name, spec, budgetBytes, leasedBytes, leases }) => ({
      name,
      spec,
      budgetBytes,
      leasedBytes,
      liveBytes: liveByContainer.get(name) ?? 0,
      leases,
      connected: connected.has(name),
      kernel: agent.kernelOf(name),
    })),
    segments: { live: table.leases.size, mapped, kept: kept.segments },
    counters: {
      ...table.counters,
      allocations,
      zeroCopyOperations: { ...table.counters.zeroCopyOperations },
    },
    missing: missingSources(facts),
  };
}

/** Metrics that this machine cannot have, each with the reason that the probe found. */
export function missingSources(facts: HostFacts): Record<string, string> {
  const missing: Record<string, string> = {};
  const note = (metric: string, part: { available: boolean; reason: string | null }) => {
    if (!part.available) missing[metric] = part.reason ?? 'not found on this machine';
  };
  note(metrics.bandwidthUtilization.name, facts.bandwidthCounter);
  note(metrics.neuralEngineUtilization.name, facts.neuralEngine);
  note(metrics.gpuMemoryUsage.name, facts.gpu);
  note(metrics.hostStallSeconds.name, facts.psi);
  return missing;
}
