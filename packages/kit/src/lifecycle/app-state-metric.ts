/** The state of the app as a metric: 1 for the state it is in, 0 for the others. */
import type { MetricDefinition } from '../metrics/metric-definition.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { type AppState, appStates } from './component.ts';

export const appStateMetric = {
  name: 'nautilus_app_state',
  type: 'gauge',
  help: 'Lifecycle state of the process: 1 for the state it is in, 0 for the others.',
  labels: ['state'],
} as const satisfies MetricDefinition;

export function exposeAppState(
  app: { readonly state: AppState; onState(listener: () => void): unknown },
  metrics: Metrics,
): void {
  const gauge = metrics.gauge(appStateMetric);
  const show = (): void => {
    for (const state of appStates) gauge.set({ state }, state === app.state ? 1 : 0);
  };
  show();
  app.onState(show);
}
