/** A metric as a row of a table: what it is called, what it means, and which labels bound its series. */

export interface MetricDefinition<Label extends string = string> {
  /** Base units in the name, `_total` for counters. */
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly Label[];
  /** Upper bounds of a histogram, rising. */
  readonly buckets?: readonly number[];
}

export type Labels<Label extends string> = Readonly<Record<Label, string>>;

export interface CounterSeries<Label extends string> {
  /** By 1 where no value is given. */
  inc(labels?: Labels<Label>, value?: number): void;
  remove(labels: Labels<Label>): void;
  /** Removes every series. */
  clear(): void;
}

export interface GaugeSeries<Label extends string> {
  /** Null and NaN mean "not measured": the series goes away until there is a number again. */
  set(labels: Labels<Label>, value: number | null): void;
  remove(labels: Labels<Label>): void;
  /** Removes every series. */
  clear(): void;
}

export interface HistogramSeries<Label extends string> {
  observe(labels: Labels<Label>, value: number): void;
  remove(labels: Labels<Label>): void;
  /** Removes every series. */
  clear(): void;
}
