/**
 * The publisher's side of copied subscriptions: frames as bytes over NATS, to each container that joined so, as long as
 * it gives signs of life. They never slow the publisher: what the link cannot take is a gap that the subscriber counts.
 */
import type { Bus } from '@nautilus/bus';
import { fail, ok, type Result } from '@nautilus/contracts';
import { slicesOf } from './frame-parts.ts';

/** How often a copied subscription says that it lives, and after how long without that word it is over. */
export const copyRenewMs = 5_000;
export const copyLifeMs = 3 * copyRenewMs;
const mostSubscriptions = 64;
/** The bus is asked to send what was published after this many bytes, and spared more beyond the second figure. */
const flushBytes = 2 ** 20;
const mostUnderwayBytes = 2 ** 24;

export type CopyBus = Pick<Bus, 'publishData' | 'largestPartBytes' | 'flush'>;

export interface CopiesOptions {
  readonly bus: CopyBus;
  readonly host: string;
  readonly publisher: string;
  readonly channel: string;
  /** The channel's segment: names its life. */
  readonly stream: string;
  monotonic(): number;
  copied(bytes: number): void;
}

export class Copies {
  readonly #options: CopiesOptions;
  /** By subscriber, its subscriptions with the end of their lives. */
  #subscribers = new Map<string, Map<string, number>>();
  #underwayBytes = 0;
  #unflushedBytes = 0;
  /** A field, because the publisher looks at it for every frame. */
  isNeeded = false;
  /** Frames that a subscriber was not sent, because the link was down or full. */
  spared = 0;

  constructor(options: CopiesOptions) {
    this.#options = options;
  }

  /** True when it is a new one; again it is a sign of life. */
  admit(subscriber: string, subscription: string): Result<boolean> {
    const known = this.#subscribers.get(subscriber) ?? new Map<string, number>();
    const isNew = !known.has(subscription);
    if (isNew && this.#count >= mostSubscriptions)
      return fail(
        'overloaded',
        `the channel is copied to ${mostSubscriptions} subscriptions, the most it is`,
        {
          limit: mostSubscriptions,
        },
      );
    known.set(subscription, this.#options.monotonic() + copyLifeMs);
    this.#subscribers.set(subscriber, known);
    this.isNeeded = true;
    return ok(isNew);
  }

  dismiss(subscriber: string, subscription: string): boolean {
    const known = this.#subscribers.get(subscriber);
    const wasThere = known?.delete(subscription) ?? false;
    if (known?.size === 0) this.#forget(subscriber);
    return wasThere;
  }

  /** To everyone who still lives. Who is spared comes first the next time: large frames go out one at a time. */
  send(sequence: number, bytes: Uint8Array): void {
    const now = this.#options.monotonic();
    const spared: [string, Map<string, number>][] = [];
    for (const [subscriber, subscriptions] of this.#subscribers) {
      for (const [id, livesUntil] of subscriptions) if (livesUntil <= now) subscriptions.delete(id);
      if (subscriptions.size === 0) this.#forget(subscriber);
      else if (!this.sendTo(subscriber, sequence, bytes)) spared.push([subscriber, subscriptions]);
    }
    if (spared.length > 0) this.#subscribers = new Map([...spared, ...this.#subscribers]);
  }

  /** False when the subscriber was spared it. */
  sendTo(subscriber: string, sequence: number, bytes: Uint8Array): boolean {
    const { bus, stream, copied } = this.#options;
    const { length } = bytes;
    // A frame longer than the limit goes out alone.
    if (this.#underwayBytes > 0 && this.#underwayBytes + length > mostUnderwayBytes) return this.#spare();
    for (const { part, parts, begin, end } of slicesOf(length, bus.largestPartBytes)) {
      const header = { stream, sequence: sequence >>> 0, part, parts, length };
      if (!bus.publishData(this.#at(subscriber), header, bytes.subarray(begin, end))) return this.#spare();
    }
    copied(length);
    this.#account(length);
    return true;
  }

  /** Says to everyone that no more will come, and which frame would have been next. */
  end(nextSequence: number): void {
    const { bus, stream } = this.#options;
    const header = { stream, sequence: nextSequence >>> 0, part: 0, parts: 0, length: 0 };
    for (const subscriber of this.#subscribers.keys())
      bus.publishData(this.#at(subscriber), header, new Uint8Array());
    this.#subscribers.clear();
    this.isNeeded = false;
  }

  #forget(subscriber: string): void {
    this.#subscribers.delete(subscriber);
    this.isNeeded = this.#subscribers.size > 0;
  }

  #at(subscriber: string) {
    const { host, publisher, channel } = this.#options;
    return { host, publisher, subscriber, channel };
  }

  get #count(): number {
    let count = 0;
    for (const subscriptions of this.#subscribers.values()) count += subscriptions.size;
    return count;
  }

  #account(bytes: number): void {
    this.#underwayBytes += bytes;
    this.#unflushedBytes += bytes;
    if (this.#unflushedBytes >= flushBytes) this.#flush();
  }

  /** What is under way must not be so for ever, however little it is. */
  #spare(): false {
    this.spared += 1;
    if (this.#unflushedBytes > 0) this.#flush();
    return false;
  }

  #flush(): void {
    const sent = this.#unflushedBytes;
    this.#unflushedBytes = 0;
    const settle = (): void => {
      this.#underwayBytes -= sent;
    };
    // A link that broke has dropped them: nothing of it is under way any more.
    this.#options.bus.flush().then(settle, settle);
  }
}
