/**
 * The metrics of one process in one registry of its own. A metric that was defined but never set shows its help and no
 * series: prom-client would print 0 for one without labels, and a zero that nobody measured is a lie.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type {
  CounterSeries,
  GaugeSeries,
  HistogramSeries,
  Labels,
  MetricDefinition,
} from './metric-definition.ts';

export interface MetricsOptions {
  /** CPU, memory, descriptors, event loop and garbage collection of this process, as `nautilus_process_…` and `nautilus_nodejs_…`; default true. */
  readonly processMetrics?: boolean;
  /** Takes what a collector threw, and the scrape goes on; without it the scrape fails. */
  readonly onCollectError?: (error: unknown) => void;
}

export class Metrics {
  readonly #registry = new Registry();
  readonly #collectors = new Set<() => Promise<void> | void>();
  readonly #onCollectError: ((error: unknown) => void) | undefined;
  #rendering: Promise<string> | null = null;

  constructor(options: MetricsOptions = {}) {
    this.#onCollectError = options.onCollectError;
    if (options.processMetrics ?? true)
      collectDefaultMetrics({ register: this.#registry, prefix: 'nautilus_' });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  counter<const Label extends string>(definition: MetricDefinition<Label>): CounterSeries<Label> {
    const counter = new Counter(this.#settings(definition, 'counter'));
    const { check, clear } = this.#prepare(definition, counter);
    return {
      inc: (labels, value) => counter.inc(check(labels), value),
      remove: (labels) => counter.remove(check(labels)),
      clear,
    };
  }

  gauge<const Label extends string>(definition: MetricDefinition<Label>): GaugeSeries<Label> {
    const gauge = new Gauge(this.#settings(definition, 'gauge'));
    const { check, clear } = this.#prepare(definition, gauge);
    return {
      set: (labels, value) => {
        if (value === null || Number.isNaN(value)) gauge.remove(check(labels));
        else gauge.set(check(labels), value);
      },
      remove: (labels) => gauge.remove(check(labels)),
      clear,
    };
  }

  histogram<const Label extends string>(definition: MetricDefinition<Label>): HistogramSeries<Label> {
    const settings = this.#settings(definition, 'histogram');
    const { buckets } = definition;
    const histogram = new Histogram(
      buckets === undefined ? settings : { ...settings, buckets: [...buckets] },
    );
    const { check, clear } = this.#prepare(definition, histogram);
    return {
      observe: (labels, value) => histogram.observe(check(labels), value),
      remove: (labels) => histogram.remove(check(labels)),
      clear,
    };
  }

  /** Runs before every scrape, for figures that are read rather than counted; the returned function ends that. */
  collectWith(collector: () => Promise<void> | void): () => void {
    this.#collectors.add(collector);
    return () => this.#collectors.delete(collector);
  }

  /** The Prometheus text format. Scrapes that overlap share one answer. */
  render(): Promise<string> {
    this.#rendering ??= this.#render().finally(() => {
      this.#rendering = null;
    });
    return this.#rendering;
  }

  async #render(): Promise<string> {
    for (const collector of this.#collectors) {
      try {
        await collector();
      } catch (error) {
        if (this.#onCollectError === undefined) throw error;
        this.#onCollectError(error);
      }
    }
    return this.#registry.metrics();
  }

  #settings<Label extends string>(definition: MetricDefinition<Label>, type: MetricDefinition['type']) {
    const { name, help, labels } = definition;
    if (definition.type !== type) throw new TypeError(`${name} is a ${definition.type}, not a ${type}`);
    const labelNames: string[] = [...labels];
    return { name, help, labelNames, registers: [this.#registry] };
  }

  #prepare<Label extends string>(definition: MetricDefinition<Label>, metric: Counter | Gauge | Histogram) {
    const hasLabels = definition.labels.length > 0;
    const clear = (): void => {
      metric.reset();
      if (!hasLabels) metric.remove({});
    };
    const check = (labels: Labels<Label> | undefined): Record<string, string> => {
      const given: Readonly<Record<string, string>> = labels ?? {};
      const missing = definition.labels.filter((label) => given[label] === undefined);
      // prom-client would make a series without the label.
      if (missing.length > 0) throw new TypeError(`${definition.name} needs the label ${missing.join(', ')}`);
      return given;
    };
    clear();
    return { check, clear };
  }
}
