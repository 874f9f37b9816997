/** The monitor: hears every host, shows what it hears, and tells when memory runs short. */

export * from './baseline/baseline.ts';
export { isUnusual, type Unusual } from './baseline/unusual.ts';
export { advanceForecast, emptyForecast } from './forecast/advance.ts';
export { type Forecast, type HorizonForecast, readForecast } from './forecast/read.ts';
export type { ForecastObservation, ForecastState, ModelName } from './forecast/state.ts';
export * from './ladder/attention.ts';
export * from './ladder/bandwidth.ts';
export { inhibit, type Judged, type RaisedAlert, type RegionOf } from './ladder/inhibit.ts';
export * from './ladder/ladder.ts';
export * from './ladder/policies.ts';
export * from './ladder/stall.ts';
export { rank, stepLadder } from './ladder/step.ts';
export { advanceLeak, judgeLeak } from './leak/advance.ts';
export * from './leak/leak.ts';
export { type LeakRule, leakRule } from './leak/rule.ts';
export { createMonitor, type Monitor, type MonitorOptions } from './monitor.ts';
export { type RunningMonitor, startMonitor } from './start-monitor.ts';
