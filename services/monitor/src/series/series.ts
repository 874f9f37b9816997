/** One line of the metrics page before it is text. */
import type { MetricSpec } from '@nautilus/contracts';

export interface Series {
  readonly metric: MetricSpec;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}
