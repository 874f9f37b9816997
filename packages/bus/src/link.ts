/**
 * One connection and what hangs on it: its state, its counters, who wants to know of a reconnect, and what has to be
 * drained before it may close.
 */
import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { errors, type NatsConnection } from '@nats-io/transport-node';
import { NautilusError } from '@nautilus/contracts';
import type { BusState, BusStats } from './bus.ts';
import type { Clock } from './clock.ts';
import type { BusLog } from './log.ts';

/** Buckets and streams are made again before watches list them, and both before anyone announces state. */
const phases = ['restore', 'watch', 'announce'] as const;
type Phase = (typeof phases)[number];

export interface Drainable {
  drain(): Promise<void>;
}

export interface LinkOptions {
  readonly log: BusLog;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly random: () => number;
  readonly inboxPrefix: string;
  readonly replicas: number;
}

const apiTimeoutMs = 5_000;

export function emptyStats(): BusStats {
  return {
    reconnects: 0,
    slowConsumers: 0,
    permissionViolations: 0,
    requests: 0,
    requestErrors: 0,
    handled: 0,
    handlerErrors: 0,
    overloaded: 0,
    deadlineDropped: 0,
    published: 0,
    publishesDropped: 0,
    invalidMessages: 0,
    rewatches: 0,
  };
}

export class Link {
  readonly nc: NatsConnection;
  readonly js: JetStreamClient;
  readonly options: LinkOptions;
  readonly log: BusLog;
  readonly stats: BusStats = emptyStats();
  #state: BusState = 'connected';
  #closing = false;
  /** Handlers that are being drained may still ask and write; after that nobody may. */
  #sealed = false;
  #manager: Promise<JetStreamManager> | undefined;
  readonly #open = new Set<Drainable>();
  readonly #waiting = new Set<(reason: NautilusError) => void>();
  readonly #onState = new Set<(state: BusState) => void>();
  readonly #onReconnect: Record<Phase, Set<() => void | Promise<void>>> = {
    restore: new Set(),
    watch: new Set(),
    announce: new Set(),
  };
  #reconnecting: Promise<void> = Promise.resolve();
  readonly #watched: Promise<void>;

  constructor(nc: NatsConnection, options: LinkOptions) {
    this.nc = nc;
    this.options = options;
    this.log = options.log;
    this.js = jetstream(nc, { timeout: apiTimeoutMs });
    this.#watched = this.#watchStatus();
  }

  get state(): BusState {
    return this.#state;
  }

  get closing(): boolean {
    return this.#closing;
  }

  manager(): Promise<JetStreamManager> {
    // Without the API check: a role needs no permission for `$JS.API.INFO`.
    this.#manager ??= jetstreamManager(this.nc, { checkAPI: false, timeout: apiTimeoutMs });
    return this.#manager;
  }

  /** Throws when nothing can be sent now. What is sent while the link is down would be lost without a word (M1). */
  assertUsable(what: string): void {
    if (this.#state === 'connected' && !this.#sealed) return;
    if (this.#state === 'disconnected' && !this.#sealed)
      throw new NautilusError({
        code: 'unavailable',
        message: `not connected to NATS at ${this.nc.getServer()}, ${what} was not sent`,
      });
    throw new NautilusError({ code: 'draining', message: `the bus is closed, ${what} was not sent` });
  }

  /** Calls back with an error when the connection is lost: an answer to what is under way will not come. */
  untilLost(callback: (reason: NautilusError) => void): () => void {
    this.#waiting.add(callback);
    return () => this.#waiting.delete(callback);
  }

  /** The work, or an error as soon as the connection is lost; whether it was done on the server is not known then. */
  orLost<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const forget = this.untilLost(reject);
      work.finally(forget).then(resolve, reject);
    });
  }

  onState(callback: (state: BusState) => void): () => void {
    this.#onState.add(callback);
    return () => this.#onState.delete(callback);
  }

  onReconnect(callback: () => void | Promise<void>, phase: Phase = 'announce'): () => void {
    this.#onReconnect[phase].add(callback);
    return () => this.#onReconnect[phase].delete(callback);
  }

  /** Whoever is open is drained by `close`, unless it drained itself before. */
  track(open: Drainable): () => void {
    if (this.#closing) throw new NautilusError({ code: 'draining', message: 'the bus is closing' });
    this.#open.add(open);
    return () => this.#open.delete(open);
  }

  async close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      const drained = await Promise.allSettled([...this.#open].map((open) => open.drain()));
      for (const result of drained)
        if (result.status === 'rejected') this.log.error({ error: result.reason }, 'bus: a drain failed');
      this.#sealed = true;
      if (this.#state === 'connected')
        await this.nc
          .flush()
          .catch((error: unknown) => this.log.warn({ error }, 'bus: not everything was flushed at close'));
      await this.nc.close();
    }
    await this.#watched;
  }

  async #watchStatus(): Promise<void> {
    for await (const status of this.nc.status()) {
      switch (status.type) {
        case 'disconnect':
          this.#setState('disconnected');
          this.#failWaiting('the connection to NATS was lost while waiting for the answer');
          this.log.warn({ server: status.server }, 'bus: connection lost, reconnecting');
          break;
        case 'reconnect':
          this.stats.reconnects += 1;
          this.#setState('connected');
          this.log.info({ server: status.server, version: this.nc.info?.version }, 'bus: reconnected');
          this.#reconnecting = this.#reconnecting.then(() => this.#afterReconnect());
          break;
        case 'error':
          this.#onError(status.error);
          break;
        case 'staleConnection':
          this.log.warn({}, 'bus: the server does not answer pings');
          break;
        case 'ldm':
          this.log.warn({ server: status.server }, 'bus: the server is about to shut down');
          break;
        case 'slowConsumer':
          this.stats.slowConsumers += 1;
          break;
        default:
          break;
      }
    }
    const reason = await this.nc.closed();
    if (!this.#closing) this.log.error({ error: reason }, 'bus: the connection closed for good');
    this.#closing = true;
    this.#sealed = true;
    this.#setState('closed');
    this.#failWaiting('the bus was closed while waiting for the answer');
  }

  #onError(error: Error): void {
    if (error instanceof errors.PermissionViolationError) {
      this.stats.permissionViolations += 1;
      this.log.error(
        { operation: error.operation, subject: error.subject },
        'bus: NATS permissions refuse a subject',
      );
    } else this.log.error({ error }, 'bus: the NATS server reports an error');
  }

  #setState(state: BusState): void {
    if (this.#state === state) return;
    this.#state = state;
    for (const callback of this.#onState)
      void this.#guarded(() => callback(state), 'a state callback failed');
  }

  #failWaiting(message: string): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const fail of waiting) fail(new NautilusError({ code: 'unavailable', message }));
  }

  async #afterReconnect(): Promise<void> {
    for (const phase of phases) {
      const callbacks = [...this.#onReconnect[phase]];
      await Promise.all(
        callbacks.map((callback) => this.#guarded(callback, `a ${phase} callback failed after a reconnect`)),
      );
    }
  }

  async #guarded(call: () => void | Promise<void>, failure: string): Promise<void> {
    try {
      await call();
    } catch (error) {
      this.log.error({ error }, `bus: ${failure}`);
    }
  }
}
