/** Writes series into the metrics of the process at every scrape, from nothing, so that what is gone leaves no trace. */
import { type MetricSpec, metrics as table } from '@nautilus/contracts';
import type { Metrics } from '@nautilus/kit';
import type { Series } from './series.ts';

interface Slot {
  clear(): void;
  write(labels: Readonly<Record<string, string>>, value: number): void;
}

function slot(metrics: Metrics, row: MetricSpec): Slot {
  switch (row.type) {
    case 'gauge': {
      const gauge = metrics.gauge(row);
      return { clear: () => gauge.clear(), write: (labels, value) => gauge.set(labels, value) };
    }
    case 'counter': {
      const counter = metrics.counter(row);
      return { clear: () => counter.clear(), write: (labels, total) => counter.inc(labels, total) };
    }
    case 'histogram':
      throw new TypeError(`${row.name}: a histogram is observed as it happens, not written at a scrape`);
  }
}

/** The rows of the monitor and of every service; the returned function ends the writing. */
export function exposeSeries(metrics: Metrics, read: () => readonly Series[]): () => void {
  const rows: readonly MetricSpec[] = Object.values(table);
  const slots = new Map(
    rows
      .filter(({ service }) => service === 'monitor' || service === 'every')
      .map((row) => [row.name, slot(metrics, row)] as const),
  );
  return metrics.collectWith(() => {
    for (const { clear } of slots.values()) clear();
    for (const { metric, labels, value } of read()) {
      const target = slots.get(metric.name);
      if (target === undefined) throw new TypeError(`${metric.name} is not a metric of the monitor`);
      target.write(labels, value);
    }
  });
}
