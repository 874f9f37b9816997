/** What a host's newest sample shows. A silent host shows nothing of it: a figure that stands still looks measured. */
import { metrics } from '@nautilus/contracts';
import type { HostWatch } from '../watch/host-watch.ts';
import type { Series } from './series.ts';

const secondsOf = (microseconds: number) => microseconds / 1e6;

function memorySeries({ host, sample, totals }: HostWatch): Series[] {
  const { totalBytes, availableBytes } = sample.memory;
  const labels = { host };
  const stalls = [
    ['some', totals.stallSomeUs],
    ['full', totals.stallFullUs],
  ] as const;
  return [
    { metric: metrics.hostTotalBytes, labels, value: totalBytes },
    { metric: metrics.hostAvailableBytes, labels, value: availableBytes },
    ...(totalBytes > 0
      ? [{ metric: metrics.unifiedMemoryPressure, labels, value: 1 - availableBytes / totalBytes }]
      : []),
    ...stalls.flatMap(([kind, total]) =>
      total === null
        ? []
        : [{ metric: metrics.hostStallSeconds, labels: { host, kind }, value: secondsOf(total) }],
    ),
    ...Object.entries(totals.zeroCopyOperations).map(([path, value]) => ({
      metric: metrics.zeroCopyOperations,
      labels: { host, path },
      value,
    })),
  ];
}

function scopeSeries({ host, sample }: HostWatch): Series[] {
  return [
    ...sample.regions.flatMap((region) => {
      const labels = { host, region: region.name };
      return [
        { metric: metrics.regionCapacityBytes, labels, value: region.capacityBytes },
        { metric: metrics.regionLeasedBytes, labels, value: region.leasedBytes },
      ];
    }),
    ...sample.pools.flatMap((pool) => {
      const labels = { host, pool: pool.name };
      return [
        { metric: metrics.poolLimitBytes, labels, value: pool.limitBytes },
        { metric: metrics.poolLeasedBytes, labels, value: pool.leasedBytes },
        { metric: metrics.poolLiveBytes, labels, value: pool.liveBytes },
      ];
    }),
    ...sample.containers.flatMap((container) => {
      const labels = { host, container: container.name };
      return [
        { metric: metrics.containerAllocation, labels, value: container.leasedBytes },
        { metric: metrics.containerBudgetBytes, labels, value: container.budgetBytes },
        { metric: metrics.containerLiveBytes, labels, value: container.liveBytes },
      ];
    }),
  ];
}

export function hostSeries(watch: HostWatch): readonly Series[] {
  return [...memorySeries(watch), ...scopeSeries(watch)];
}
