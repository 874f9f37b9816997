/** Samples as an agent would send them, for the tests of this service. */
import type { AgentSample } from '@nautilus/contracts';

export const gibibyte = 1024 ** 3;

export interface SampleOptions {
  readonly host?: string;
  readonly instance?: string;
  readonly sequence?: number;
  readonly at?: number;
  /** Share of the host's 16 GiB that is not available. */
  readonly hostShare?: number;
  /** Share of its 4 GiB that container `ml-engine` leases; null: there is no container. */
  readonly containerShare?: number | null;
  readonly zeroCopyOperations?: Readonly<Record<string, number>>;
  readonly psiSomeTotalUs?: number | null;
  readonly missing?: Readonly<Record<string, string>>;
}

const totalBytes = 16 * gibibyte;

/** Half of the host is free, and nothing is leased, unless the options say otherwise. */
export function sampleOf(options: SampleOptions = {}): AgentSample {
  const { hostShare = 0.5, containerShare = 0, psiSomeTotalUs = null } = options;
  const maximumBytes = 4 * gibibyte;
  const leasedBytes = Math.round((containerShare ?? 0) * maximumBytes);
  return {
    host: options.host ?? 'h1',
    instance: options.instance ?? 'agent-1',
    sequence: options.sequence ?? 0,
    at: options.at ?? 0,
    memory: {
      totalBytes,
      availableBytes: Math.round(totalBytes * (1 - hostShare)),
      swapTotalBytes: 0,
      swapFreeBytes: 0,
      majorFaults: null,
      psiSomeTotalUs,
      psiFullTotalUs: null,
    },
    capacity: {
      managedBytes: totalBytes,
      reservedBytes: 2 * gibibyte,
      grantableBytes: 14 * gibibyte,
      leasedBytes,
      lingeringBytes: 0,
    },
    regions: [{ name: 'neural-engine', capacityBytes: 32 * gibibyte, leasedBytes }],
    pools: [
      {
        name: 'ml-models',
        region: 'neural-engine',
        strategy: 'first_fit',
        limitBytes: 16 * gibibyte,
        leasedBytes,
        liveBytes: 0,
        segments: 1,
      },
    ],
    containers:
      containerShare === null
        ? []
        : [
            {
              name: 'ml-engine',
              spec: {
                minimumBytes: gibibyte,
                maximumBytes,
                priority: 'normal',
                policy: 'adaptive',
                resize: 'any-time',
                scale: null,
              },
              budgetBytes: 2 * gibibyte,
              leasedBytes,
              liveBytes: 0,
              leases: 1,
              connected: true,
            },
          ],
    segments: { live: 1, mapped: 1, kept: 0 },
    counters: {
      leases: 0,
      refusals: 0,
      expiries: 0,
      holderDeaths: 0,
      allocations: 0,
      zeroCopyOperations: { ...options.zeroCopyOperations },
      bytesShared: 0,
      bytesCopied: 0,
      protocolViolations: 0,
    },
    missing: { ...options.missing },
  };
}
