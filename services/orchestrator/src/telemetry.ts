/** The metrics of this service, defined once. */
import { metrics as table } from '@nautilus/contracts';
import type { Metrics } from '@nautilus/kit';

export type Telemetry = ReturnType<typeof createTelemetry>;

export function createTelemetry(metrics: Metrics) {
  return {
    planSeconds: metrics.histogram(table.planSeconds),
    plans: metrics.counter(table.plans),
    plannedBytes: metrics.gauge(table.plannedBytes),
    leader: metrics.gauge(table.leader),
  };
}
