/** The monitor as an app: which parts it has, and in which order they come and go. */
import { randomUUID } from 'node:crypto';
import type { Bus } from '@nautilus/bus';
import type { Config } from '@nautilus/contracts';
import {
  type App,
  type Clock,
  createApp,
  createHealth,
  createHttpServer,
  type Logger,
  Metrics,
  systemClock,
} from '@nautilus/kit';
import { createConnection } from './parts/connection.ts';
import { createTelling } from './parts/telling.ts';
import { createWatching } from './parts/watching.ts';
import { exposeSeries } from './series/expose.ts';
import { processSeries } from './series/process-series.ts';
import { watchSettings } from './settings.ts';
import { version } from './version.ts';
import { Watcher } from './watcher.ts';

export interface MonitorOptions {
  readonly config: Config;
  readonly log: Logger;
  /** Connects by the configuration when not given; a given one stays open. */
  readonly bus?: Bus;
  /** Registers the rows of the monitor and of every service in it, once. */
  readonly metrics?: Metrics;
  readonly clock?: Clock;
  /** Unique among the running monitors; generated when not given. */
  readonly instance?: string;
}

export interface Monitor {
  readonly app: App;
  /** The bound port of the metrics page, once started. */
  readonly port: number;
}

export function createMonitor(options: MonitorOptions): Monitor {
  const { config, log } = options;
  const clock = options.clock ?? systemClock();
  const instance = options.instance ?? `monitor-${randomUUID()}`;
  const metrics =
    options.metrics ??
    new Metrics({ onCollectError: (error) => log.error({ err: error }, 'metrics are incomplete') });
  const health = createHealth();
  const settings = watchSettings(config);
  const watcher = new Watcher(settings, clock);
  const connection = createConnection({
    nats: config.nats,
    log,
    clock,
    health,
    given: options.bus,
    onConnected: (isConnected) => watcher.listening(isConnected),
  });
  const bus = (): Bus => connection.bus;
  const telling = createTelling({ bus, instance, clock, log, raised: () => watcher.raised() });
  const watching = createWatching({
    bus,
    watcher,
    clock,
    log,
    intervalMs: settings.sampleIntervalMs,
    onAnnouncements: (announcements) => telling.offer(announcements),
  });
  const { port, bind } = config.monitor;
  const http = createHttpServer({ port, host: bind, metrics, health, log, portKey: 'monitor.port' });
  exposeSeries(metrics, () => [
    ...watcher.series(),
    ...processSeries({
      isConnected: connection.isOpen,
      isLeading: telling.isLeading,
      operations: { ...connection.stats, ...telling.stats },
    }),
  ]);
  const app = createApp({
    name: 'monitor',
    version,
    log,
    health,
    metrics,
    clock,
    components: [http, connection, telling, ...watching],
  });
  return {
    app,
    get port() {
      return http.port;
    },
  };
}
