/** One sample a second from every agent. A number that was not measured is null or absent, never zero. */
import { z } from 'zod';
import { containerSpec, instantMs, measuredBytes } from '../values.ts';
import { kernelMemory } from './kernel-memory.ts';

const counted = z.number().int().nonnegative();

export const hostMemory = z.object({
  totalBytes: measuredBytes,
  availableBytes: measuredBytes,
  swapTotalBytes: measuredBytes,
  swapFreeBytes: measuredBytes,
  majorFaults: counted.nullable(),
  psiSomeTotalUs: counted.nullable(),
  psiFullTotalUs: counted.nullable(),
});

export const capacity = z.object({
  /** What the machine gives this system, scaled when it is smaller than the configuration. */
  managedBytes: measuredBytes,
  /** Kept for the operating system. */
  reservedBytes: measuredBytes,
  /** managed − reserved: the most that all leases together may hold. */
  grantableBytes: measuredBytes,
  leasedBytes: measuredBytes,
  /** Ended leases whose bytes readers still map. */
  lingeringBytes: measuredBytes,
});

/** The device that works for a region (SPEC O5). `host` is plain memory and the processor, which is always there. */
export const regionDevice = z.object({
  /** As the configuration says: host, gpu, neural-engine. */
  wanted: z.string(),
  /** The id of the device that it is, `host` or `vulkan:0`. */
  device: z.string(),
  /** `missing`: never found on this machine; `lost`: failed while it was in use. Both went over to the host. */
  state: z.enum(['as-wanted', 'missing', 'lost']),
  /** Why it is not as wanted; null when it is. */
  reason: z.string().nullable(),
});
export type RegionDevice = z.infer<typeof regionDevice>;

export const regionSample = z.object({
  name: z.string(),
  capacityBytes: measuredBytes,
  leasedBytes: measuredBytes,
  /** Absent in samples of agents that know no devices. */
  device: regionDevice.optional(),
});

export const poolSample = z.object({
  name: z.string(),
  region: z.string(),
  strategy: z.string(),
  limitBytes: measuredBytes,
  leasedBytes: measuredBytes,
  /** From the owners' ledgers; counts only segments whose ledger is readable. */
  liveBytes: measuredBytes,
  segments: counted,
});

export const containerSample = z.object({
  name: z.string(),
  spec: containerSpec,
  budgetBytes: measuredBytes,
  leasedBytes: measuredBytes,
  liveBytes: measuredBytes,
  leases: counted,
  connected: z.boolean(),
  /** Absent: no runtime knows the container now. */
  kernel: kernelMemory.optional(),
});
export type ContainerSample = z.infer<typeof containerSample>;

export const counters = z.object({
  leases: counted,
  refusals: counted,
  expiries: counted,
  holderDeaths: counted,
  /** Blocks allocated by owners, summed over ledgers, ended ones included. */
  allocations: counted,
  /** Mappings handed out without a copy, by path. */
  zeroCopyOperations: z.record(z.string(), counted),
  bytesShared: counted,
  bytesCopied: counted,
  protocolViolations: counted,
});

/** Why a series is absent: `{ metric: reason }`. */
export const missingSources = z.record(z.string(), z.string());

export const agentSample = z.object({
  host: z.string(),
  instance: z.string(),
  sequence: counted,
  at: instantMs,
  memory: hostMemory,
  capacity,
  regions: z.array(regionSample),
  pools: z.array(poolSample),
  containers: z.array(containerSample),
  segments: z.object({ live: counted, mapped: counted, kept: counted }),
  counters,
  missing: missingSources,
});
export type AgentSample = z.infer<typeof agentSample>;
