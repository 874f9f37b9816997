/**
 * A container's client: its pools, the segments of others that it reads, and what the agent tells it. It holds the one
 * bus and the one agent socket that all of them share.
 */
import type { BusLog } from '@nautilus/bus';
import { type AlertBody, encodeToken, isToken, NautilusError } from '@nautilus/contracts';
import { AgentLink } from './agent-link.ts';
import { ChannelControl } from './channel/channel-control.ts';
import { type ChannelName, Channels } from './channel/channels.ts';
import type { Codec } from './channel/codec.ts';
import type { Publisher } from './channel/publisher.ts';
import type { PublishOptions } from './channel/publishers.ts';
import type { SubscribeOptions } from './channel/subscribers.ts';
import type { Subscription } from './channel/subscription.ts';
import type { ClientBus } from './client-bus.ts';
import type { ClientContext, Loss } from './context.ts';
import { Control, type DescribeResponse } from './control.ts';
import { type ClientStats, newCounters } from './counters.ts';
import { alreadyClosed } from './faults.ts';
import type { GrantedSegment } from './granted-segment.ts';
import { Handlers } from './handlers.ts';
import { Holdings } from './holdings.ts';
import { Pool, type PoolOptions } from './pool.ts';
import { PressureAlerts, type PressureOptions } from './pressure.ts';
import type { ReadonlyBytes } from './read-only-bytes.ts';
import { type OpenOptions, Readers } from './readers.ts';
import { ReleaseCommands, type ReleaseHandler } from './release-commands.ts';
import { Releases } from './releases.ts';
import type { Timing } from './timing.ts';

export interface NautilusClientOptions {
  readonly container: string;
  readonly host: string;
  readonly bus: ClientBus;
  /** Closes the bus with the client. */
  readonly ownsBus: boolean;
  readonly requestTimeoutMs: number;
  readonly log: BusLog;
  readonly timing: Timing;
  /** False: channels are copied over NATS; true when not given. */
  readonly sharedMemory?: boolean;
}

export class NautilusClient implements AsyncDisposable {
  readonly container: string;
  readonly host: string;
  readonly #options: NautilusClientOptions;
  readonly #context: ClientContext;
  readonly #pools = new Map<string, Pool>();
  readonly #readers: Readers;
  readonly #channels: Channels;
  readonly #pressure: PressureAlerts;
  readonly #commands: ReleaseCommands;
  readonly #losses: Handlers<Loss>;
  readonly #stopListening: () => void;
  #closing: Promise<void> | null = null;

  /** Made by `connect()`. */
  constructor(options: NautilusClientOptions) {
    const { bus, log, timing, requestTimeoutMs } = options;
    this.container = options.container;
    this.host = options.host;
    this.#options = options;
    this.#losses = new Handlers('onLost', log);
    const container = encodeToken(options.container);
    const host = encodeToken(options.host);
    const asking = { bus, host, container, timeoutMs: requestTimeoutMs };
    const control = new Control(asking);
    const counters = newCounters();
    const holdings = new Holdings();
    const onReturn = async (): Promise<void> => {
      counters.reconnects += 1;
      await releases.retry();
      await this.#channels.register();
    };
    const link = new AgentLink({ container, holdings, timing, log, onReturn: () => void onReturn() });
    const releases = new Releases(control, log, (segment) => link.unmapped(segment));
    this.#stopListening = bus.onReconnect(onReturn);
    this.#context = {
      control,
      holdings,
      releases,
      counters,
      timing,
      log,
      link,
      patienceMs: requestTimeoutMs * 3,
      lost: (loss) => this.#losses.emit(loss),
    };
    this.#readers = new Readers(this.#context);
    this.#channels = new Channels({
      context: this.#context,
      control: new ChannelControl(asking),
      bus,
      host,
      container,
      sharedMemory: options.sharedMemory ?? true,
    });
    this.#pressure = new PressureAlerts(bus, host, log);
    this.#commands = new ReleaseCommands({ host, container, log, trim: (signal) => this.#trim(signal) });
  }

  /** For `connect()`: answers the agent's commands from now on. */
  async serve(): Promise<void> {
    await this.#commands.serve(this.#options.bus);
  }

  /** A pool of this container, the same object for the same name until it is closed. Nothing is leased yet. */
  pool(name: string, options: PoolOptions = {}): Pool {
    this.#assertOpen();
    const existing = this.#pools.get(name);
    if (existing !== undefined) {
      existing.assertOptions(options);
      return existing;
    }
    if (!isToken(name))
      throw new NautilusError({
        code: 'invalid_request',
        message: `pool "${name}": must be lower-case letters, digits and single "-" (at most 63)`,
      });
    const pool = new Pool(name, options, this.#context, () => this.#pools.delete(name));
    this.#pools.set(name, pool);
    return pool;
  }

  /** Maps a segment that another container granted to this one: read-only, in place. */
  async open(segment: string, options: OpenOptions = {}): Promise<GrantedSegment> {
    this.#assertOpen();
    return this.#readers.open(segment, options);
  }

  /**
   * Opens a channel: frames that others read in place. Example:
   * ```ts
   * const quotes = await client.publish('quotes', { frameBytes: 4096, readers: ['risk-engine'] });
   * const frame = quotes.loan();
   * if (frame !== null) quotes.publish(frame, fill(frame.bytes));
   * ```
   */
  publish(channel: string, options: PublishOptions & { codec?: never }): Promise<Publisher>;
  publish<T>(channel: string, options: PublishOptions<T> & { codec: Codec<T> }): Promise<Publisher<T>>;
  async publish<T>(channel: string, options: PublishOptions<T>): Promise<Publisher<T>> {
    this.#assertOpen();
    return this.#channels.publish(channel, options);
  }

  /** Reads a channel of another container: in place where memory is shared, else copied, and then it says why. */
  subscribe(
    channel: string,
    options: SubscribeOptions & { codec?: never },
  ): Promise<Subscription<ReadonlyBytes>>;
  subscribe<T>(channel: string, options: SubscribeOptions<T> & { codec: Codec<T> }): Promise<Subscription<T>>;
  async subscribe<T>(channel: string, options: SubscribeOptions<T>): Promise<Subscription<T>> {
    this.#assertOpen();
    return this.#channels.subscribe(channel, options);
  }

  /** The channels of this host that this container may join, its own included. */
  async channels(options: { from?: string } = {}): Promise<readonly ChannelName[]> {
    this.#assertOpen();
    return this.#channels.list(options.from === undefined ? undefined : encodeToken(options.from));
  }

  /** What the agent knows of this container: budget, segments, grants. */
  async describe(options: { segment?: string; signal?: AbortSignal } = {}): Promise<DescribeResponse> {
    this.#assertOpen();
    return this.#context.control.describe(options.segment, options.signal);
  }

  /** Memory pressure on this host. Answers how to stop. */
  onPressure(handler: (alert: AlertBody) => void, options: PressureOptions = {}): () => void {
    this.#assertOpen();
    return this.#pressure.on(handler, options);
  }

  /** The agent asks for memory back, after empty segments were released. Answers how to stop. */
  onRelease(handler: ReleaseHandler): () => void {
    this.#assertOpen();
    return this.#commands.on(handler);
  }

  /** A lease or grant is gone although it was not released here. Its blocks can still be read and freed. */
  onLost(handler: (loss: Loss) => void): () => void {
    this.#assertOpen();
    return this.#losses.add(handler);
  }

  /** `agent` is false until the first segment: the socket is opened when it is needed. */
  get connected(): { readonly nats: boolean; readonly agent: boolean } {
    return { nats: this.#context.control.isConnected, agent: this.#context.link.connected };
  }

  stats(): ClientStats {
    const mapped = [...this.#pools.values()].map((pool) => pool.mapped);
    const sum = (of: 'bytes' | 'segments'): number =>
      mapped.reduce((total, figures) => total + figures[of], 0);
    const { owned, shared } = this.#channels.figures();
    return {
      bytesShared: sum('bytes') + this.#readers.bytes + owned.bytes + shared.bytes,
      segmentsHeld: sum('segments') + owned.count,
      segmentsOpen: this.#readers.count + shared.count,
      ...this.#context.counters,
    };
  }

  /** Ends every lease and unmaps everything; views become empty. Twice is the same as once. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const { bus, ownsBus } = this.#options;
    this.#stopListening();
    try {
      await this.#commands.close();
      await this.#channels.close();
      await this.#pressure.close();
      await Promise.all([...this.#pools.values()].map((pool) => pool.close()));
      await this.#readers.close();
    } finally {
      // Whatever is still leased ends with the socket.
      this.#context.link.close();
      if (ownsBus) await bus.close();
    }
  }

  async #trim(signal: AbortSignal): Promise<number> {
    let releasedBytes = 0;
    for (const pool of [...this.#pools.values()]) releasedBytes += await pool.trim({ signal });
    return releasedBytes;
  }

  #assertOpen(): void {
    if (this.#closing !== null) throw alreadyClosed('the client');
  }
}
