/** The shell of a process: lifecycle, configuration, log, metrics, health, clock. */
export * from './backoff.ts';
export * from './clock/clock.ts';
export * from './clock/manual-clock.ts';
export * from './clock/system-clock.ts';
export * from './config/load-config.ts';
export * from './health.ts';
export * from './http/http-server.ts';
export * from './lifecycle/app.ts';
export * from './lifecycle/component.ts';
export * from './lifecycle/process-signal.ts';
export * from './lifecycle/run-app.ts';
export * from './log.ts';
export * from './metrics/metric-definition.ts';
export * from './metrics/metrics.ts';
export * from './retry.ts';
export * from './service/run-service.ts';
export * from './service/service-config.ts';
