/** What every service shows of its link to NATS and of its leadership, and how the telling of alerts went. */
import { metrics } from '@nautilus/contracts';
import type { Series } from './series.ts';

export interface ProcessFigures {
  readonly isConnected: boolean;
  readonly isLeading: boolean;
  /** Counts since the start. */
  readonly operations: Readonly<Record<string, number>>;
}

export function processSeries({ isConnected, isLeading, operations }: ProcessFigures): readonly Series[] {
  return [
    { metric: metrics.busConnected, labels: {}, value: isConnected ? 1 : 0 },
    { metric: metrics.leader, labels: { service: 'monitor' }, value: isLeading ? 1 : 0 },
    ...Object.entries(operations).map(([operation, value]) => ({
      metric: metrics.busRequests,
      labels: { operation },
      value,
    })),
  ];
}
