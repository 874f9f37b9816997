/**
 * The three calls that start the system inside one process (SPEC D2). Each gives back a handle that drains and stops
 * what it started, also by `await using`.
 */
import { randomUUID } from 'node:crypto';
import { createAllocator } from '@nautilus/allocator';
import { type Config, NautilusError, unwrap } from '@nautilus/contracts';
import { type App, createLogger, type Logger, loadServiceConfig } from '@nautilus/kit';
import { startMaintenance } from '@nautilus/maintenance';
import { startMonitor } from '@nautilus/monitor';
import { startOrchestrator } from '@nautilus/orchestrator';

export interface StartOptions {
  /** Parsed already; default: `nautilus.yaml` of the working directory with the environment over it. */
  readonly config?: Config;
  readonly log?: Logger;
}

export interface Started extends AsyncDisposable {
  /** Of /metrics, /healthz and /readyz. */
  readonly port: number;
  readonly app: App;
  /** Drains and stops; throws when a part did not end in order. */
  stop(): Promise<void>;
}

/** The host agent with its maintenance: from here on containers can lease memory of this host. */
export async function startUnifiedMemorySystem(options: StartOptions = {}): Promise<Started> {
  const { config, log } = surroundings('allocator', options);
  const allocator = createAllocator({ config, log });
  await allocator.app.start();
  try {
    const maintenance = await startMaintenance({ config, log: log.child({ part: 'maintenance' }) });
    return started(allocator.app, allocator.port(), [maintenance.app, allocator.app]);
  } catch (error) {
    await allocator.app.stop('maintenance did not start');
    throw error;
  }
}

/** The orchestrator: budgets follow what containers need. */
export async function startContainerOrchestration(options: StartOptions = {}): Promise<Started> {
  const { config, log } = surroundings('orchestrator', options);
  const { app, port } = await startOrchestrator({ config, log, instance: `orchestrator-${randomUUID()}` });
  return started(app, port, [app]);
}

export interface MonitoringOptions extends StartOptions {
  /** Milliseconds between the samples of the agents; the monitor takes a host for silent after five of them. */
  readonly interval?: number;
  readonly prometheusPort?: number;
}

/** The monitor: samples, alerts, and the metrics page. */
export async function startMonitoring(options: MonitoringOptions = {}): Promise<Started> {
  const { config, log } = surroundings('monitor', options);
  const { interval = config.allocator.sample_interval, prometheusPort = config.monitor.port } = options;
  const { app, port } = await startMonitor({
    config: {
      ...config,
      allocator: { ...config.allocator, sample_interval: whole('interval', interval, 10, 60_000) },
      monitor: { ...config.monitor, port: whole('prometheusPort', prometheusPort, 0, 65_535) },
    },
    log,
    instance: `monitor-${randomUUID()}`,
  });
  return started(app, port, [app]);
}

function whole(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new NautilusError({
    code: 'invalid_request',
    message: `${name} must be a whole number from ${least} to ${most}, found ${value}`,
  });
}

function surroundings(name: string, options: StartOptions): { config: Config; log: Logger } {
  const config =
    options.config ?? unwrap(loadServiceConfig({ argv: [], env: process.env, cwd: process.cwd() }));
  return { config, log: options.log ?? createLogger({ name, level: config.log.level }) };
}

function started(app: App, port: number, apps: readonly App[]): Started {
  const stop = async () => {
    for (const one of apps) await one.stop('stop was called');
    const failures = apps.flatMap((one) => one.failures);
    if (failures.length > 0) {
      throw new NautilusError({
        code: 'internal',
        message: `${failures.map(({ component, phase }) => `${component} did not ${phase}`).join(', ')}`,
      });
    }
  };
  return { app, port, stop, [Symbol.asyncDispose]: stop };
}
