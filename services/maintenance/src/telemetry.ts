/** The metrics of this service, defined once. */
import { metrics as table } from '@nautilus/contracts';
import type { Metrics } from '@nautilus/kit';

export type Telemetry = ReturnType<typeof createTelemetry>;

export function createTelemetry(metrics: Metrics) {
  return {
    jobRuns: metrics.counter(table.jobRuns),
    jobSeconds: metrics.histogram(table.jobSeconds),
    jobReclaimedBytes: metrics.counter(table.jobReclaimedBytes),
    leader: metrics.gauge(table.leader),
  };
}
