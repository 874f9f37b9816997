/** A smaller machine gets the same shape: capacity, regions, pools and containers shrink by one factor (SPEC U1). */
import type { ContainerSpec } from '../values.ts';
import type { StrategyName } from './memory.ts';
import type { Config } from './schema.ts';

export interface ScaledRegion {
  readonly name: string;
  readonly capacityBytes: number;
  readonly alignmentBytes: number;
  readonly device: string;
}

export interface ScaledPool {
  readonly name: string;
  readonly region: string;
  readonly strategy: StrategyName;
  readonly minimumBytes: number;
  readonly limitBytes: number;
  readonly segmentBytes: number;
}

export interface MemoryShape {
  readonly scale: number;
  readonly managedBytes: number;
  readonly reservedBytes: number;
  readonly grantableBytes: number;
  readonly regions: readonly ScaledRegion[];
  readonly pools: readonly ScaledPool[];
  readonly containers: readonly ({ readonly name: string } & ContainerSpec)[];
}

/** Budgets are whole multiples of this, so that sums stay whole pages on every platform (Apple's page is 16 KiB). */
const granuleBytes = 65_536;

/** The shape for a machine with `totalBytes`; never larger than configured. Rounding is down, so sums still fit. */
export function scaleMemory(
  config: Pick<Config, 'host' | 'regions' | 'pools' | 'containers'>,
  totalBytes: number,
): MemoryShape {
  const scale = Math.min(1, totalBytes / config.host.capacity);
  const scaled = (bytes: number) => Math.floor((bytes * scale) / granuleBytes) * granuleBytes;
  const managedBytes = scaled(config.host.capacity);
  const reservedBytes = scaled(config.host.reserve);
  return {
    scale,
    managedBytes,
    reservedBytes,
    grantableBytes: managedBytes - reservedBytes,
    regions: Object.entries(config.regions).map(([name, region]) => ({
      name,
      capacityBytes: scaled(region.capacity),
      alignmentBytes: region.alignment,
      device: region.device,
    })),
    pools: Object.entries(config.pools).map(([name, pool]) => ({
      name,
      region: pool.region,
      strategy: pool.strategy,
      minimumBytes: scaled(pool.min),
      limitBytes: scaled(pool.max),
      // Not scaled: a segment is a unit of work, and a pool smaller than one leases what is left.
      segmentBytes: Math.min(pool.segment, Math.max(granuleBytes, scaled(pool.max))),
    })),
    containers: Object.entries(config.containers).map(([name, container]) => ({
      name,
      minimumBytes: scaled(container.min),
      maximumBytes: scaled(container.max),
      priority: container.priority,
      policy: container.policy,
      resize: container.resize,
      scale: container.scale,
    })),
  };
}
