/** The link to NATS as a component: made from the configuration, or handed in by whoever has one already. */
import { readFile } from 'node:fs/promises';
import { type Bus, type BusStats, connectBus } from '@nautilus/bus';
import type { Config } from '@nautilus/contracts';
import type { Clock, Component, Health, Logger } from '@nautilus/kit';

export interface ConnectionOptions {
  readonly nats: Config['nats'];
  readonly log: Logger;
  readonly clock: Clock;
  readonly health: Health;
  /** Stays open when the monitor stops. */
  readonly given: Bus | undefined;
  /** Called with every change, and at the start with what is found. */
  readonly onConnected: (isConnected: boolean) => void;
}

export interface Connection extends Component {
  /** Throws before the component has started. */
  readonly bus: Bus;
  readonly isOpen: boolean;
  /** Empty before the component has started. */
  readonly stats: BusStats | Record<string, never>;
}

const name = 'monitor';

async function connect(options: ConnectionOptions, signal: AbortSignal): Promise<Bus> {
  const { nats, log, clock } = options;
  const seed = nats.seed_file === null ? null : (await readFile(nats.seed_file, 'utf8')).trim();
  return connectBus({
    servers: nats.servers,
    name,
    log,
    clock,
    signal,
    replicas: nats.replicas,
    credentials: seed === null ? null : { nkeySeed: seed },
    requireFeatures: ['jetstream', 'kv'],
  });
}

export function createConnection(options: ConnectionOptions): Connection {
  const { given, health, onConnected } = options;
  let bus: Bus | null = null;
  let unlisten: (() => void) | null = null;
  const tell = (isConnected: boolean): void => {
    health.set('nats', { ok: isConnected, reason: isConnected ? undefined : 'not connected to NATS' });
    onConnected(isConnected);
  };
  health.set('nats', { ok: false, reason: 'not connected to NATS yet' });
  return {
    name: 'nats',
    // A server that is not up yet is waited for; the health page says so meanwhile.
    startDeadlineMs: Number.POSITIVE_INFINITY,
    get bus() {
      if (bus === null) throw new Error('the monitor has no link to NATS before it started');
      return bus;
    },
    get isOpen() {
      return bus?.state === 'connected';
    },
    get stats() {
      return bus?.stats ?? {};
    },
    async start({ signal }) {
      const found = given ?? (await connect(options, signal));
      bus = found;
      tell(found.state === 'connected');
      unlisten = found.onState((state) => tell(state === 'connected'));
    },
    async stop() {
      unlisten?.();
      if (given === undefined) await bus?.close();
    },
  };
}
