/** The monitor as an app: which parts it has, and in which order they come and go. */
import { randomUUID } from 'node:crypto';
import { type Bus, connectConfigured } from '@nautilus/bus';
import { type Config, NautilusError } from '@nautilus/contracts';
import {
  type App,
  type Clock,
  createApp,
  createConnection,
  createHealth,
  createHttpServer,
  type Logger,
  Metrics,
  operationCounts,
  systemClock,
} from '@nautilus/kit';
import { Archive } from './history/archive.ts';
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
    connect: (signal) => connectConfigured(config.nats, { name: 'monitor', log, clock, signal }),
    given: options.bus,
    health,
    onState: (state) => watcher.listening(state === 'connected'),
  });
  const bus = (): Bus => connection.link;
  const telling = createTelling({ bus, instance, clock, log, raised: () => watcher.raised() });
  const watching = createWatching({
    bus,
    watcher,
    archive: openArchive(config, clock, log),
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
      isConnected: connection.current?.state === 'connected',
      isLeading: telling.isLeading,
      operations: operationCounts({ ...connection.current?.stats, ...telling.stats }),
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

function openArchive({ monitor }: Config, clock: Clock, log: Logger): Archive | null {
  const { history_dir: directory, history_max: mostBytes } = monitor;
  if (directory === null) return null;
  try {
    return new Archive({ directory, mostBytes, now: () => clock.now(), log });
  } catch (error) {
    throw new NautilusError({
      code: 'config_invalid',
      message: `monitor.history_dir: ${directory} cannot be used (${(error as Error).message}); name a directory that the monitor may write, or null to keep no history`,
    });
  }
}
