/**
 * A service's link to its broker as a component of its app: made at the start or handed in, shown in health and metrics.
 * It knows a link only by shape, because this package knows no broker.
 */
import { metrics as table } from '@nautilus/contracts';
import type { Health } from '../health.ts';
import type { Component } from '../lifecycle/component.ts';
import type { Metrics } from '../metrics/metrics.ts';

export type LinkState = 'connected' | 'disconnected' | 'closed';

export interface Link {
  readonly state: LinkState;
  /** Counts since the start, in camel case; they only grow. */
  readonly stats: object;
  onState(callback: (state: LinkState) => void): () => void;
  close(): Promise<void>;
}

export interface ConnectionOptions<L extends Link> {
  readonly connect: (signal: AbortSignal) => Promise<L>;
  /** Somebody else's, who also closes it. */
  readonly given?: L | undefined;
  readonly health: Health;
  readonly onState?: (state: LinkState) => void;
}

export interface Connection<L extends Link> extends Component {
  /** Throws before the start. */
  readonly link: L;
  readonly current: L | null;
}

export function createConnection<L extends Link>(options: ConnectionOptions<L>): Connection<L> {
  const { health, given } = options;
  let link: L | null = null;
  let forget = (): void => undefined;
  health.set('nats', { ok: false, reason: 'no connection to NATS yet' });
  return {
    name: 'nats',
    // A service that starts before its broker waits for it instead of failing in a loop.
    startDeadlineMs: Number.POSITIVE_INFINITY,
    deadlineMs: 15_000,
    get link() {
      if (link === null) throw new Error('the connection to NATS was used before it was made');
      return link;
    },
    get current() {
      return link;
    },
    async start({ signal }) {
      const found = given ?? (await options.connect(signal));
      link = found;
      const show = (state: LinkState): void => {
        health.set('nats', {
          ok: state === 'connected',
          reason: state === 'connected' ? undefined : `NATS is ${state}`,
        });
        options.onState?.(state);
      };
      forget = found.onState(show);
      show(found.state);
    },
    async stop() {
      forget();
      if (given === undefined) await link?.close();
    },
  };
}

/** Shows at every scrape what a link counted. Its counters only grow, so the differences are added. */
export function exposeConnection(metrics: Metrics, current: () => Link | null): void {
  const operations = metrics.counter(table.busRequests);
  const connected = metrics.gauge(table.busConnected);
  const shown = new Map<string, number>();
  metrics.collectWith(() => {
    const link = current();
    connected.set({}, link?.state === 'connected' ? 1 : 0);
    for (const [operation, value] of Object.entries(operationCounts(link?.stats ?? {}))) {
      operations.inc({ operation }, value - (shown.get(operation) ?? 0));
      shown.set(operation, value);
    }
  });
}

/** `slowConsumers: 3` → `slow_consumers: 3`, as labels are written. */
export function operationCounts(stats: object): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [name, value] of Object.entries(stats)) {
    if (typeof value === 'number')
      counts[name.replaceAll(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`)] = value;
  }
  return counts;
}
