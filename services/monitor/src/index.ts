/** The monitor: hears every host, shows what it hears, and tells when memory runs short. */
export { createMonitor, type Monitor, type MonitorOptions } from './monitor.ts';
export { type RunningMonitor, startMonitor } from './start-monitor.ts';
