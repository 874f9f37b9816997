/** The connection to NATS as a part of the app: made from the configuration, or handed in and then left open. */
import { readFile } from 'node:fs/promises';
import { type Bus, connectBus } from '@nautilus/bus';
import type { Config } from '@nautilus/contracts';
import type { Component, Health, Logger } from '@nautilus/kit';

export interface ConnectionOptions {
  readonly config: Pick<Config, 'nats'>;
  /** Somebody else's, who also closes it. */
  readonly bus?: Bus | undefined;
  readonly name: string;
  readonly log: Logger;
  readonly health: Health;
}

export interface Connection extends Component {
  /** Throws before the start. */
  readonly bus: Bus;
  readonly current: Bus | null;
}

export function createConnection(options: ConnectionOptions): Connection {
  const { health } = options;
  let bus: Bus | null = null;
  let ignoreState = (): void => undefined;
  health.set('nats', { ok: false, reason: 'not connected yet' });
  return {
    name: 'nats',
    // A service that starts before its broker waits for it instead of failing in a loop.
    startDeadlineMs: Number.POSITIVE_INFINITY,
    deadlineMs: 15_000,
    get bus() {
      if (bus === null) throw new Error('the connection to NATS was used before it was made');
      return bus;
    },
    get current() {
      return bus;
    },
    async start({ signal }) {
      bus = options.bus ?? (await connect(options, signal));
      const show = (state: Bus['state']): void =>
        health.set('nats', state === 'connected' ? { ok: true } : { ok: false, reason: `NATS is ${state}` });
      ignoreState = bus.onState(show);
      show(bus.state);
    },
    async stop() {
      ignoreState();
      if (options.bus === undefined) await bus?.close();
      bus = null;
    },
  };
}

async function connect(
  { config: { nats }, name, log }: ConnectionOptions,
  signal: AbortSignal,
): Promise<Bus> {
  const seed = nats.seed_file === null ? null : (await readFile(nats.seed_file, 'utf8')).trim();
  return connectBus({
    servers: nats.servers,
    name,
    log,
    credentials: seed === null ? null : { nkeySeed: seed },
    replicas: nats.replicas,
    requireFeatures: ['jetstream', 'kv'],
    signal,
  });
}
