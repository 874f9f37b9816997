/** Puts maintenance together: pages for its surroundings, the connection, and what works over it. */
import { randomUUID } from 'node:crypto';
import { type Bus, connectConfigured } from '@nautilus/bus';
import type { Config } from '@nautilus/contracts';
import {
  type App,
  type Clock,
  createApp,
  createConnection,
  createHealth,
  createHttpServer,
  exposeConnection,
  type Logger,
  Metrics,
  systemClock,
} from '@nautilus/kit';
import { jobs } from './jobs/index.ts';
import { createService, service, version } from './service.ts';
import { createTelemetry } from './telemetry.ts';

export interface MaintenanceOptions {
  readonly config: Config;
  readonly log: Logger;
  /** A connection to share; without it one is made from the configuration. */
  readonly bus?: Bus;
  readonly metrics?: Metrics;
  /** The time of the calendar and of the deadlines. */
  readonly clock?: Clock;
  /** Unique among the instances; default: a random one. */
  readonly instance?: string;
}

export interface Maintenance {
  readonly app: App;
  /** Of `/metrics`, `/healthz` and `/readyz`; the bound one once started. */
  readonly port: number;
}

export function createMaintenance(options: MaintenanceOptions): Maintenance {
  const { config, log } = options;
  const metrics = options.metrics ?? new Metrics();
  const health = createHealth();
  const telemetry = createTelemetry(metrics);
  const { port, bind } = config.maintenance;
  const http = createHttpServer({ port, host: bind, metrics, health, log, portKey: 'maintenance.port' });
  const connection = createConnection({
    connect: (signal) => connectConfigured(config.nats, { name: service, log, signal }),
    given: options.bus,
    health,
  });
  const work = createService({
    config,
    jobs,
    bus: () => connection.link,
    clock: options.clock ?? systemClock(),
    log,
    health,
    telemetry,
    instance: options.instance ?? `${service}-${randomUUID().slice(0, 8)}`,
  });
  exposeConnection(metrics, () => connection.current);
  metrics.collectWith(() => telemetry.leader.set({ service }, work.isLeading ? 1 : 0));
  const app = createApp({
    name: service,
    version,
    components: [http, connection, work],
    log,
    health,
    metrics,
  });
  return {
    app,
    get port() {
      return http.port;
    },
  };
}
