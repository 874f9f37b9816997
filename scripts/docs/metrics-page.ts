/** Every metric, by the service that shows it. */
import { type MetricSpec, metrics } from '@nautilus/contracts';
import { code, page, table } from './markdown.ts';

const services: readonly (readonly [MetricSpec['service'], string])[] = [
  ['monitor', 'Monitor (port 9091)'],
  ['allocator', 'Allocator, the agent of a host (port 9101)'],
  ['orchestrator', 'Orchestrator (port 9102)'],
  ['maintenance', 'Maintenance (port 9103)'],
  ['every', 'Every service'],
];

function metricTable(rows: readonly MetricSpec[]): string {
  return table(
    ['Metric', 'Type', 'Labels', 'What'],
    rows.map(({ name, type, labels, help, buckets }) => [
      code(name),
      type,
      labels.map(code).join(', '),
      buckets === undefined ? help : `${help} Buckets: ${buckets.join(', ')}.`,
    ]),
  );
}

export function metricsPage(): string {
  const rows: readonly MetricSpec[] = Object.values(metrics);
  return page(
    'Metrics',
    'packages/contracts/src/metrics.ts',
    'Served as `/metrics` in the Prometheus text format. A metric whose source is missing has its help and no series; ' +
      '`nautilus_memory_source_info` says why. A host that has gone silent has no series of its memory either.',
    ...services.flatMap(([service, title]) => [
      `## ${title}`,
      metricTable(rows.filter((row) => row.service === service)),
    ]),
    'Every service also shows `nautilus_app_state`, and its own CPU, memory, descriptors, event loop and garbage ' +
      'collection as `nautilus_process_…` and `nautilus_nodejs_…`.',
  );
}
