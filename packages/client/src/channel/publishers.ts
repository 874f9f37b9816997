/** The channels that this client publishes. A restarted agent is told of them again; frames flow meanwhile. */
import { encodeToken, NautilusError } from '@nautilus/contracts';
import {
  channelBytes,
  createChannel,
  type PublisherOptions as NativeOptions,
  type Publisher as NativePublisher,
  type SlowPolicy,
} from '@nautilus/native';
import { sharedController, throwIfCancelled } from '../cancellation.ts';
import { toNautilusError, translated } from '../faults.ts';
import { isAway, persist } from '../patience.ts';
import { Admissions, type Admitting } from './admissions.ts';
import type { Codec } from './codec.ts';
import { Copies } from './copies.ts';
import { type OwnedSegment, releaseOwned, takeLeased } from './owned-segment.ts';
import { type ChannelParts, defaultPool } from './parts.ts';
import { Publisher } from './publisher.ts';
import { isUnknown } from './renewal.ts';
import { closeShared } from './shared-mapping.ts';

export interface PublishOptions<T = Uint8Array> {
  /** Containers that may subscribe; `any`: all of this host. */
  readonly readers: readonly string[] | 'any';
  /** The longest frame; a codec's `bytes` when not given. */
  readonly frameBytes?: number;
  /** Frames that the ring keeps, a power of two; 64. */
  readonly entries?: number;
  /** Past frames for a newcomer; 0. */
  readonly history?: number;
  /** What happens to who has not taken what the next frame overwrites; 'drop-oldest'. */
  readonly policy?: SlowPolicy;
  /** For 'block': who keeps the publisher longer is disconnected; never when not given. */
  readonly blockTimeoutMs?: number;
  /** Pool of the channel's segment; 'temporary'. */
  readonly pool?: string;
  /** Subscribers in place; 8. */
  readonly maximumSubscribers?: number;
  /** Messages that one of them may hold at once; 8. */
  readonly maximumHeld?: number;
  /** Frames that may be filled at once; 4. */
  readonly loans?: number;
  readonly codec?: Codec<T>;
  readonly signal?: AbortSignal;
}

interface Entry extends Admitting {
  readonly segment: OwnedSegment;
}

export class Publishers {
  readonly #parts: ChannelParts;
  readonly #entries = new Map<string, Entry>();
  readonly #closing = sharedController();
  readonly #admissions: Admissions;

  constructor(parts: ChannelParts) {
    this.#parts = parts;
    const find = (channel: string) => this.#entries.get(channel);
    this.#admissions = new Admissions(parts, find, this.#closing.signal);
  }

  async publish<T>(channel: string, options: PublishOptions<T>): Promise<Publisher<T>> {
    const { context, control, container } = this.#parts;
    const shape = shapeOf(options);
    const doing = `channel ${channel}`;
    const bytes = translated(doing, () => channelBytes(shape));
    this.#assertFree(channel);
    const closing = this.#closing.signal;
    const signal = options.signal === undefined ? closing : AbortSignal.any([options.signal, closing]);
    const patience = { ...context, signal };
    await this.#admissions.serve();
    const lease = async () => {
      const leased = await context.control.lease(options.pool ?? defaultPool, bytes, false);
      const prepare = ({ mapping, wake }: OwnedSegment) => createChannel(mapping, { ...shape, wake });
      return takeLeased(context, leased, prepare, signal);
    };
    const { segment, prepared: core } = await persist(doing, lease, patience);
    const publisher = this.#make(channel, options, segment, core);
    try {
      // Somebody else may have been faster.
      this.#assertFree(channel);
    } catch (error) {
      await releaseOwned(context, segment);
      throw error;
    }
    const readers = options.readers === 'any' ? 'any' : options.readers.map(encodeToken);
    this.#entries.set(channel, {
      publisher,
      segment,
      readers,
      holders: new Map(),
      cursors: new Map(),
      mappings: new Map(),
    });
    segment.onEnd((reason) => {
      publisher.end(reason);
      context.lost({ segment: segment.segment, reason });
    });
    try {
      await persist(doing, () => control.open({ channel, segment: segment.segment, readers }), patience);
      throwIfCancelled(doing, signal);
      return publisher;
    } catch (error) {
      await publisher.close();
      throw toNautilusError(error, `${doing} of ${container}`);
    }
  }

  /** After agent or NATS came back. */
  async register(): Promise<void> {
    const { context, control } = this.#parts;
    for (const [channel, { publisher, segment, readers }] of this.#entries) {
      if (publisher.closed || publisher.endReason !== null) continue;
      const open = () => control.open({ channel, segment: segment.segment, readers });
      await persist(`channel ${channel}`, open, { ...context, signal: this.#closing.signal }).catch(
        (error: unknown) =>
          context.log.warn({ channel, error }, 'client: a channel could not be announced again'),
      );
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new NautilusError({ code: 'already_released', message: 'the client is closed' }));
    await Promise.all([...this.#entries.values()].map(({ publisher }) => publisher.close()));
    await this.#admissions.close();
  }

  #make<T>(
    channel: string,
    { codec = undefined }: PublishOptions<T>,
    { segment }: OwnedSegment,
    core: NativePublisher,
  ): Publisher<T> {
    const { context, bus, host, container } = this.#parts;
    const copies = new Copies({
      bus,
      host,
      publisher: container,
      channel,
      stream: segment,
      monotonic: () => context.timing.monotonic(),
      copied: (bytes) => {
        context.counters.bytesCopied += bytes;
      },
    });
    return new Publisher<T>({
      channel,
      segment,
      core,
      copies,
      codec: codec ?? null,
      counters: context.counters,
      close: () => this.#end(channel, core, copies),
    });
  }

  /** In order: readers hear from the segment itself that it is closed, then from the agent that it is released. */
  async #end(channel: string, core: NativePublisher, copies: Copies): Promise<void> {
    const entry = this.#entries.get(channel);
    core.close();
    if (entry === undefined) return;
    const { context, control } = this.#parts;
    const log = (error: unknown): void =>
      context.log.debug({ channel, error }, 'client: a channel was closed while nobody could be told');
    try {
      copies.end(entry.publisher.nextSequence);
    } catch (error) {
      log(error);
    }
    await control.close(channel, entry.segment.segment).catch((error: unknown) => {
      if (!isAway(error) && !isUnknown(error))
        context.log.warn({ channel, error }, 'client: closing a channel');
      else log(error);
    });
    // Nothing looks at a cursor any more that is unmapped next.
    for (const admitting of await Promise.allSettled(entry.cursors.values())) {
      const slot = admitting.status === 'fulfilled' && admitting.value.ok ? admitting.value.value.slot : null;
      if (slot !== null) entry.publisher.remove(slot);
    }
    await Promise.all([...entry.mappings.values()].map((mapping) => closeShared(context, mapping)));
    this.#entries.delete(channel);
    await releaseOwned(context, entry.segment);
  }

  #assertFree(channel: string): void {
    if (!this.#entries.has(channel)) return;
    throw new NautilusError({
      code: 'conflict',
      message: `channel ${channel} is published by this client already; close that publisher first`,
    });
  }
}

function shapeOf<T>(options: PublishOptions<T>): NativeOptions {
  const { history, policy, blockTimeoutMs, loans, maximumSubscribers, maximumHeld } = options;
  return {
    entries: options.entries ?? 64,
    // What is wrong with the number, the layout says.
    frameBytes: options.frameBytes ?? options.codec?.bytes ?? Number.NaN,
    ...(history === undefined ? {} : { history }),
    ...(policy === undefined ? {} : { policy }),
    ...(blockTimeoutMs === undefined ? {} : { blockTimeoutMs }),
    ...(loans === undefined ? {} : { loans }),
    ...(maximumSubscribers === undefined ? {} : { maxSubscribers: maximumSubscribers }),
    ...(maximumHeld === undefined ? {} : { maxHeld: maximumHeld }),
  };
}
