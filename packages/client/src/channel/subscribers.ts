/**
 * The channels that this client reads. In place when the agent's socket and the publisher are on this host, else over
 * NATS, with the reason. A restarted agent is told of both again; frames flow meanwhile.
 */
import type { FramePart } from '@nautilus/bus';
import { encodeToken, NautilusError } from '@nautilus/contracts';
import { createCursor, cursorBytes, openSubscription } from '@nautilus/native';
import { sharedController, throwIfCancelled } from '../cancellation.ts';
import { toNautilusError, translated } from '../faults.ts';
import { isAway, persist } from '../patience.ts';
import type { JoinResponse } from './channel-control.ts';
import type { Codec } from './codec.ts';
import { CopiedSubscription } from './copied-subscription.ts';
import { copyRenewMs } from './copies.ts';
import { InPlaceSubscription } from './in-place-subscription.ts';
import { type OwnedSegment, releaseOwned, takeLeased } from './owned-segment.ts';
import { type ChannelParts, defaultPool } from './parts.ts';
import { isUnknown, Renewal } from './renewal.ts';
import { closeShared, openShared, type SharedMapping } from './shared-mapping.ts';
import type { Subscription, Waiting } from './subscription.ts';

export interface SubscribeOptions<T = Uint8Array> {
  /** The container that publishes. */
  readonly from: string;
  /** Its host, when that is another one; frames then come over NATS. */
  readonly host?: string;
  readonly codec?: Codec<T>;
  /** 'event'. */
  readonly waiting?: Waiting;
  /** Pool of the cursor's one page; 'temporary'. */
  readonly pool?: string;
  readonly signal?: AbortSignal;
}

interface Target<T> {
  readonly channel: string;
  readonly from: string;
  readonly host: string;
  readonly codec: Codec<T> | null;
  readonly signal: AbortSignal;
}

interface Open {
  readonly subscription: Subscription<unknown>;
  /** Tells the agent again. */
  rejoin(): Promise<void>;
}

/** Attempts on a socket that nobody serves before frames come over NATS. */
const socketAttempts = 3;
/** Parts that came before the answer to the join, which says how long a frame may be. */
const mostEarlyParts = 4_096;
const mostEarlyBytes = 2 ** 26;

export class Subscribers {
  readonly #parts: ChannelParts;
  readonly #open = new Set<Open>();
  readonly #closing = sharedController();
  #serial = 0;

  constructor(parts: ChannelParts) {
    this.#parts = parts;
  }

  async subscribe<T>(channel: string, options: SubscribeOptions<T>): Promise<Subscription<T>> {
    const { host, sharedMemory } = this.#parts;
    const closing = this.#closing.signal;
    const target: Target<T> = {
      channel,
      from: encodeToken(options.from),
      host: options.host === undefined ? host : encodeToken(options.host),
      codec: options.codec ?? null,
      signal: options.signal === undefined ? closing : AbortSignal.any([options.signal, closing]),
    };
    if (target.host !== host)
      return this.#copied(target, `${options.from} is on host ${target.host}, and this is ${host}`);
    if (!sharedMemory) return this.#copied(target, 'this client was connected with sharedMemory: false');
    const cursor = await this.#cursor(target, options.pool ?? defaultPool);
    if (typeof cursor === 'string') return this.#copied(target, cursor);
    return this.#inPlace(target, cursor, options.waiting ?? 'event');
  }

  /** After agent or NATS came back. */
  async register(): Promise<void> {
    await Promise.all([...this.#open].map((open) => open.rejoin()));
  }

  async close(): Promise<void> {
    this.#closing.abort(new NautilusError({ code: 'already_released', message: 'the client is closed' }));
    await Promise.all([...this.#open].map(({ subscription }) => subscription.close()));
  }

  /** The cursor's segment and nonce, or why there is no shared memory here. */
  #cursor<T>(target: Target<T>, pool: string): Promise<{ segment: OwnedSegment; nonce: number } | string> {
    const { context } = this.#parts;
    const { link, timing } = context;
    const nonce = 1 + Math.floor(timing.random() * (2 ** 31 - 2));
    const doing = `a cursor for channel ${target.channel}`;
    let failures = 0;
    const attempt = async () => {
      const lease = await context.control.lease(pool, cursorBytes, false);
      try {
        const prepare = ({ mapping }: OwnedSegment) => createCursor(mapping, { nonce });
        const { segment } = await takeLeased(context, lease, prepare, target.signal);
        return { segment, nonce };
      } catch (error) {
        failures += 1;
        // The agent answers over NATS: it is there, and its socket is not reachable from here.
        const isUnreachable = error instanceof NautilusError && !link.connected && isNoSocket(error);
        if (isUnreachable && failures >= socketAttempts) return `no shared memory: ${error.message}`;
        throw error;
      }
    };
    return persist(doing, attempt, { ...context, signal: target.signal });
  }

  async #inPlace<T>(
    target: Target<T>,
    { segment: cursor, nonce }: { segment: OwnedSegment; nonce: number },
    waiting: Waiting,
  ): Promise<Subscription<T>> {
    const { context, control } = this.#parts;
    const { channel, from, signal } = target;
    const request = { channel, from, mode: 'in-place', subscription: cursor.segment, nonce } as const;
    const patience = { ...context, signal };
    let mapping: SharedMapping | null = null;
    try {
      const admitted = await persist(
        `channel ${channel}`,
        () => control.join(target.host, request),
        patience,
      );
      const open = () => openShared(context, admitted.segment, from, signal);
      const shared = await persist(`channel ${channel}`, open, patience);
      mapping = shared;
      const { slot } = admitted;
      if (slot === null)
        throw new NautilusError({ code: 'internal', message: `${channel}: admitted without a slot` });
      const core = translated(`channel ${channel}`, () =>
        openSubscription({
          channel: shared.mapping,
          cursor: cursor.mapping,
          slot,
          nonce,
          wake: cursor.wake,
          publisherWake: shared.wake,
        }),
      );
      throwIfCancelled(`channel ${channel}`, signal);
      const subscription = new InPlaceSubscription<T>({
        channel,
        from,
        core,
        codec: target.codec,
        waiting,
        counters: context.counters,
        close: async () => {
          core.leave();
          this.#open.delete(entry);
          await closeShared(context, shared);
          await this.#leave(target, cursor.segment);
          await releaseOwned(context, cursor);
        },
      });
      const entry: Open = { subscription, rejoin: () => this.#rejoin(target, request) };
      this.#open.add(entry);
      shared.onEnd((reason) => core.finish(reason));
      cursor.onEnd((reason) => {
        core.finish(`the cursor's lease ended: ${reason}`);
        context.lost({ segment: cursor.segment, reason });
      });
      return subscription;
    } catch (error) {
      if (mapping !== null) await closeShared(context, mapping);
      await releaseOwned(context, cursor);
      throw toNautilusError(error, `channel ${channel}`);
    }
  }

  async #copied<T>(target: Target<T>, reason: string): Promise<Subscription<T>> {
    const { context, control, bus, container } = this.#parts;
    const { channel, from, host, codec } = target;
    this.#serial += 1;
    const random = Math.floor(context.timing.random() * 2 ** 40).toString(36);
    const id = `c-${random.padStart(8, '0')}${this.#serial.toString(36)}`;
    const request = { channel, from, mode: 'copy', subscription: id } as const;
    const early: [FramePart, Uint8Array][] = [];
    let earlyBytes = 0;
    let subscription: CopiedSubscription<T> | null = null;
    const at = { host, publisher: from, subscriber: container, channel };
    // Before the join, whose answer the first frames may overtake.
    const heard = await bus.subscribeData(at, (part, bytes) => {
      if (subscription !== null) subscription.arrive(part, bytes);
      else if (early.length < mostEarlyParts && earlyBytes + bytes.length <= mostEarlyBytes) {
        earlyBytes += bytes.length;
        early.push([part, bytes]);
      }
    });
    const join = () => control.join(host, request);
    const admitted: JoinResponse = await persist(`channel ${channel}`, join, {
      ...context,
      signal: target.signal,
    }).catch(async (error: unknown) => {
      await heard.drain();
      throw error;
    });
    const renewal = new Renewal({
      join,
      stream: admitted.segment,
      log: context.log,
      end: (why) => made.end(why),
    });
    const timer = setInterval(() => void renewal.renew(), copyRenewMs);
    timer.unref();
    const made = new CopiedSubscription<T>({
      channel,
      from,
      reason,
      stream: admitted.segment,
      startSequence: admitted.startSequence,
      frameBytes: admitted.frameBytes,
      codec,
      onTaken: (bytes) => {
        context.counters.framesTaken += 1;
        context.counters.bytesCopied += bytes;
      },
      close: async () => {
        clearInterval(timer);
        this.#open.delete(entry);
        await heard.drain();
        await this.#leave(target, id);
      },
    });
    const entry: Open = { subscription: made, rejoin: () => renewal.renew() };
    this.#open.add(entry);
    subscription = made;
    for (const [part, bytes] of early) made.arrive(part, bytes);
    return made;
  }

  /** A publisher that has not announced its channel again yet is waited for. */
  async #rejoin<T>(
    target: Target<T>,
    request: Parameters<ChannelParts['control']['join']>[1],
  ): Promise<void> {
    const { context, control } = this.#parts;
    const join = async () => {
      try {
        await control.join(target.host, request);
      } catch (error) {
        if (!isUnknown(error)) throw error;
        throw new NautilusError({ code: 'not_ready', message: error.message }, { cause: error });
      }
    };
    await persist(`channel ${target.channel}`, join, { ...context, signal: this.#closing.signal }).catch(
      (error: unknown) =>
        context.log.warn(
          { channel: target.channel, error },
          'client: a subscription could not be announced again',
        ),
    );
  }

  async #leave<T>({ channel, from, host }: Target<T>, subscription: string): Promise<void> {
    const { context, control } = this.#parts;
    await control.leave(host, { channel, from, subscription }).catch((error: unknown) => {
      // Nobody there, or nothing left to leave: the agent sees the end of the cursor, the publisher that of the renewals.
      context.log.debug({ channel, subscription, error }, 'client: a channel was left without a word');
    });
  }
}

function isNoSocket(error: NautilusError): boolean {
  return isAway(error) || error.code === 'permission_denied';
}
