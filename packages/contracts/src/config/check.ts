/** What no single key can say: sums that must fit, and names that must exist. */
import type { z } from 'zod';
import { formatBytes } from '../units.ts';
import type { ContainerConfig, PoolConfig, RegionConfig } from './memory.ts';

interface MemoryConfig {
  readonly host: { readonly capacity: number; readonly reserve: number };
  readonly regions: Readonly<Record<string, RegionConfig>>;
  readonly pools: Readonly<Record<string, PoolConfig>>;
  readonly containers: Readonly<Record<string, ContainerConfig>>;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

export function checkMemory(config: MemoryConfig, context: z.RefinementCtx): void {
  const refuse = (path: (string | number)[], message: string, input: unknown) =>
    context.addIssue({ code: 'custom', path, message, input });
  const { host, regions, pools, containers } = config;

  if (host.reserve >= host.capacity) {
    refuse(
      ['host', 'reserve'],
      `must be smaller than host.capacity (${formatBytes(host.capacity)}), found ${formatBytes(host.reserve)}`,
      host.reserve,
    );
  }
  const grantable = host.capacity - host.reserve;
  const regionSum = sum(Object.values(regions).map((region) => region.capacity));
  if (regionSum > host.capacity) {
    refuse(
      ['regions'],
      `capacities sum to ${formatBytes(regionSum)}, more than host.capacity ${formatBytes(host.capacity)}; shrink a region or raise the capacity`,
      regionSum,
    );
  }
  const containerMinimum = sum(Object.values(containers).map((container) => container.min));
  if (containerMinimum > grantable) {
    refuse(
      ['containers'],
      `minimums sum to ${formatBytes(containerMinimum)}, more than the ${formatBytes(grantable)} that host.capacity minus host.reserve leaves; lower a min`,
      containerMinimum,
    );
  }
  for (const [name, container] of Object.entries(containers)) {
    if (container.min > container.max) {
      refuse(
        ['containers', name, 'min'],
        `must not be larger than max (${formatBytes(container.max)}), found ${formatBytes(container.min)}`,
        container.min,
      );
    }
  }
  for (const [name, pool] of Object.entries(pools)) {
    const region = regions[pool.region];
    if (region === undefined) {
      refuse(
        ['pools', name, 'region'],
        `names no region; there are ${Object.keys(regions).join(', ')}`,
        pool.region,
      );
      continue;
    }
    if (pool.min > pool.max)
      refuse(
        ['pools', name, 'min'],
        `must not be larger than max (${formatBytes(pool.max)}), found ${formatBytes(pool.min)}`,
        pool.min,
      );
    if (pool.max > region.capacity) {
      refuse(
        ['pools', name, 'max'],
        `must not be larger than region ${pool.region} (${formatBytes(region.capacity)}), found ${formatBytes(pool.max)}`,
        pool.max,
      );
    }
  }
  for (const [name, region] of Object.entries(regions)) {
    const poolMinimum = sum(
      Object.values(pools)
        .filter((pool) => pool.region === name)
        .map((pool) => pool.min),
    );
    if (poolMinimum > region.capacity) {
      refuse(
        ['regions', name, 'capacity'],
        `is smaller than the minimums of its pools (${formatBytes(poolMinimum)})`,
        region.capacity,
      );
    }
  }
}
