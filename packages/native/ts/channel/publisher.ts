// The writing side of a channel: it fills frames in place and puts them into a ring that others read. Nobody can stop
// it but by the policy it chose itself, because there are frames enough for everything that can be held, and nothing
// of what subscribers write is believed.

import type { Descriptor } from '../descriptor.ts';
import { invalidArgument, NativeError } from '../errors.ts';
import type { Mapping } from '../mapping.ts';
import { PublisherFrame } from './frame.ts';
import { type FrameFigures, FramePool } from './frame-pool.ts';
import { FrameViews } from './frame-views.ts';
import * as layout from './layout.ts';
import { loadAcquire, storeRelease } from './ordering.ts';
import { Sleeper } from './sleeper.ts';
import { Subscriber } from './subscriber.ts';
import { isWakeDescriptor, type Wake } from './wake.ts';

// Constants of this file, because the compiler folds those and not what it imports.
const { wordsPerEntry } = layout;
const { frame: frameWord, length: lengthWord } = layout.description;
const { head: headWord } = layout.channelWord;
/** For a subscriber that takes and signals nothing: it is dead, hostile, or has no descriptor to signal with. */
const lookEveryMs = 5;

export interface PublisherOptions extends layout.ChannelOptions {
  /** For the policy 'block': who keeps the publisher longer than this is disconnected. Default: never. */
  readonly blockTimeoutMs?: number;
  /** For the policy 'block': wakes this publisher as soon as there is room; without, it looks every 5 ms. */
  readonly wake?: Wake;
  readonly firstSequence?: number;
}

export interface AdmitOptions {
  /** The number with which the subscriber made its cursor. */
  readonly nonce: number;
  /** Read-only; to be closed after `remove`, not before. */
  readonly cursor: Mapping;
  /** Where it sleeps; to be closed after `remove`. Null: it is never woken, and takes spinning. */
  readonly wake: Descriptor | null;
}

export interface Admission {
  readonly slot: number;
  readonly startSequence: number;
}

export interface PublisherStats extends FrameFigures {
  readonly published: number;
  readonly subscribers: number;
  /** Subscribers that were too slow, since the channel was made. */
  readonly disconnected: number;
}

/** Fields are private by TypeScript and not by `#`, which costs the compiler its inlining (magazines.ts). */
export class Publisher {
  readonly shape: layout.ChannelShape;
  private readonly words: Int32Array;
  private readonly pool: FramePool;
  private readonly views: FrameViews;
  private readonly mask: number;
  private readonly entriesAt: number;
  private readonly overwrites: boolean;
  private readonly sleeper: Sleeper;
  private readonly blockTimeoutMs: number | undefined;
  private subscribers: Subscriber[] = [];
  private head: number;
  private published = 0;
  private disconnected = 0;
  private isClosed = false;

  /** Made by `createChannel`. */
  constructor(channel: Mapping, options: PublisherOptions) {
    this.shape = layout.checkShape(options);
    const places = layout.placesOf(this.shape);
    this.head = (options.firstSequence ?? 0) | 0;
    this.words = layout.writeChannel(channel, this.shape, this.head);
    this.pool = new FramePool(places.frameCount, this.shape.entries, this.shape.loans);
    this.views = new FrameViews(channel, places);
    this.mask = this.shape.entries - 1;
    this.entriesAt = places.entriesAt;
    this.overwrites = this.shape.policy === 'drop-oldest';
    this.sleeper = new Sleeper(this.words, layout.channelWord.sleep, options.wake ?? null);
    this.blockTimeoutMs = options.blockTimeoutMs;
  }

  get closed(): boolean {
    return this.isClosed;
  }

  /** A frame to fill; null when `loans` of them are out already. */
  loan(): PublisherFrame | null {
    if (this.isClosed) throw this.closedError();
    const index = this.pool.loan(this.subscribers);
    if (index < 0) return null;
    return new PublisherFrame(this, index, this.views.view(index, this.shape.frameBytes));
  }

  /** Gives a loan back that is not published after all. */
  discard(frame: PublisherFrame): void {
    if (!frame.isFrom(this)) throw frame.refusal();
    frame.end();
    this.pool.giveBack(frame.index);
  }

  /** As `tryPublish`, for policies that always have room; under 'block' `backpressure` is thrown when there is none. */
  publish(frame: PublisherFrame, length: number): void {
    if (!this.tryPublish(frame, length))
      throw new NativeError('backpressure', 'publish: a subscriber has not taken the oldest frame yet');
  }

  /** False only under 'block', when a subscriber has not taken what would be overwritten: then the loan stays. */
  tryPublish(frame: PublisherFrame, length: number): boolean {
    if (!frame.isFrom(this)) throw frame.refusal();
    if (!(length >= 0 && length <= this.shape.frameBytes) || (length | 0) !== length)
      throw invalidArgument('length', `a whole number from 0 to ${this.shape.frameBytes}`, length);
    if (this.isClosed) throw this.closedError();
    const head = this.head;
    const place = head & this.mask;
    if (!this.overwrites && !this.hasRoom(head, place)) return false;
    const { words, subscribers } = this;
    const at = this.entriesAt + place * wordsPerEntry;
    const description = layout.descriptionAt(at, head, this.shape.entries);
    words[description + frameWord] = frame.index;
    words[description + lengthWord] = length;
    // This publishes, and ends what was there: a hold that is announced after it sees that it came too late.
    Atomics.store(words, at, head);
    // The next description is not written before that, and no sleeper is looked at.
    loadAcquire(words, at);
    this.head = (head + 1) | 0;
    storeRelease(words, headWord, this.head);
    this.pool.enter(place, frame.index);
    frame.end();
    this.published += 1;
    for (let index = 0; index < subscribers.length; index += 1)
      (subscribers[index] as Subscriber).waker.wakeIfAsleep();
    const { upcoming } = this.pool;
    if (upcoming >= 0) this.views.fetchForWriting(upcoming);
    return true;
  }

  /** Waits for room under 'block'; false when the signal aborted first: then the loan stays. One at a time. */
  async publishWaiting(
    frame: PublisherFrame,
    length: number,
    options: { signal?: AbortSignal } = {},
  ): Promise<boolean> {
    let isPublished = false;
    const attempt = () => {
      isPublished = this.tryPublish(frame, length);
      return isPublished;
    };
    const { signal } = options;
    const wait = (timeoutMs?: number) => this.sleeper.until(attempt, { signal, timeoutMs, lookEveryMs });
    await wait(this.blockTimeoutMs);
    while (!isPublished && signal?.aborted !== true) {
      this.disconnectSlow(this.head);
      await wait(this.blockTimeoutMs);
    }
    return isPublished;
  }

  /** Lets a subscriber in. It may take from `startSequence` on, as far as that is still there when it does. */
  admit({ nonce, cursor, wake }: AdmitOptions): Admission {
    if (this.isClosed) throw this.closedError();
    const words = layout.readCursor(cursor, nonce);
    if (wake !== null && !isWakeDescriptor(wake))
      throw invalidArgument('wake', "the signalDescriptor of a peer's wake", 'another descriptor');
    const taken = new Set(this.subscribers.map(({ slot }) => slot));
    const slot = Array.from({ length: this.shape.maxSubscribers }, (_, at) => at).find(
      (at) => !taken.has(at),
    );
    if (slot === undefined)
      throw new NativeError(
        'backpressure',
        `admit: all ${this.shape.maxSubscribers} places are taken; raise maxSubscribers or remove one`,
      );
    const past = Math.min(this.shape.history, this.published, this.shape.entries);
    const startSequence = (this.head - past) | 0;
    const at = this.admissionAt(slot);
    this.words[at + layout.admission.nonce] = nonce;
    this.words[at + layout.admission.startSequence] = startSequence;
    Atomics.store(this.words, at + layout.admission.state, layout.admittedState);
    this.subscribers.push(new Subscriber(slot, nonce, startSequence, words, this.shape.maxHeld, wake));
    return { slot, startSequence };
  }

  /** A subscriber left or died: what it held is free. False when nobody is there. */
  remove(slot: number): boolean {
    const subscriber = this.subscribers.find((one) => one.slot === slot);
    if (subscriber === undefined) return false;
    this.subscribers = this.subscribers.filter((one) => one !== subscriber);
    const at = this.admissionAt(slot);
    Atomics.store(this.words, at + layout.admission.state, layout.freeState);
    Atomics.store(this.words, at + layout.admission.nonce, 0);
    subscriber.waker.wakeIfAsleep();
    this.sleeper.stir();
    return true;
  }

  /** In order: subscribers take what is in the ring, and then see the end. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    Atomics.store(this.words, layout.channelWord.closed, 1);
    for (const { waker } of this.subscribers) waker.wakeIfAsleep();
    this.sleeper.stir();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  stats(): PublisherStats {
    this.pool.reclaim(this.subscribers);
    return {
      ...this.pool.figures(),
      published: this.published,
      subscribers: this.subscribers.length,
      disconnected: this.disconnected,
    };
  }

  private hasRoom(head: number, place: number): boolean {
    if (!this.pool.isUsed(place)) return true;
    const oldest = (head - this.shape.entries) | 0;
    for (const subscriber of this.subscribers) {
      if (!subscriber.lacks(oldest, head)) continue;
      if (this.shape.policy === 'block') return false;
      this.disconnect(subscriber);
    }
    return true;
  }

  private disconnectSlow(head: number): void {
    const oldest = (head - this.shape.entries) | 0;
    for (const subscriber of this.subscribers)
      if (subscriber.lacks(oldest, head)) this.disconnect(subscriber);
  }

  private disconnect(subscriber: Subscriber): void {
    subscriber.isDisconnected = true;
    this.disconnected += 1;
    Atomics.store(
      this.words,
      this.admissionAt(subscriber.slot) + layout.admission.state,
      layout.disconnectedState,
    );
    subscriber.waker.wakeIfAsleep();
  }

  private admissionAt(slot: number): number {
    return layout.channelWord.admissions + slot * layout.wordsPerAdmission;
  }

  private closedError(): NativeError {
    return new NativeError('closed', 'channel: closed by its publisher');
  }
}

export function createChannel(channel: Mapping, options: PublisherOptions): Publisher {
  return new Publisher(channel, options);
}
