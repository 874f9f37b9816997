/** Why a series is absent. A figure that no sample carries has a reason too, so that no gap is left unexplained. */
import { type AgentSample, metrics } from '@nautilus/contracts';
import type { Series } from './series.ts';

/** Samples have no field for these: whatever an agent says or does not say of them, they have no series. */
const unsampled = [metrics.bandwidthUtilization, metrics.neuralEngineUtilization, metrics.gpuMemoryUsage];
const unsampledReason = 'the agent reports no counter for it';

/** Reasons are told by agents; a label of a metric stays short. */
const longestReason = 120;

export function sourceSeries(sample: AgentSample): readonly Series[] {
  const { host } = sample;
  const reasons = {
    ...Object.fromEntries(unsampled.map(({ name }) => [name, unsampledReason])),
    ...sample.missing,
  };
  return Object.entries(reasons).flatMap(([metric, given]) => {
    const labels = { host, source: 'none', reason: given.slice(0, longestReason) };
    const series: Series = { metric: metrics.sourceInfo, labels: { ...labels, metric }, value: 1 };
    return metric === metrics.bandwidthUtilization.name
      ? [series, { metric: metrics.bandwidthSourceInfo, labels, value: 1 }]
      : [series];
  });
}
