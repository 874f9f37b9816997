// The reading side of a channel: it takes frames in place and announces in its cursor which of them it holds. A hold
// is announced first and the entry looked at again then: either the publisher sees the hold, or this side sees that
// the entry is gone (hazard pointers). The publisher's segment may hold anything, also between two looks.

import { setImmediate } from 'node:timers/promises';
import { NativeError } from '../errors.ts';
import { FrameViews } from './frame-views.ts';
import * as layout from './layout.ts';
import { Message, type MessageHolder } from './message.ts';
import { loadAcquire, storeRelease } from './ordering.ts';
import { Sleeper, Waker } from './sleeper.ts';
import { Standing } from './standing.ts';
import type { SubscriptionEnd, SubscriptionOptions, WaitOptions } from './subscription-types.ts';
import { checkOptions } from './subscription-types.ts';
import { signal } from './wake.ts';

// Constants of this file, because the compiler folds those and not what it imports.
const { wordsPerEntry } = layout;
const { frame: frameWord, length: lengthWord } = layout.description;
const { head: headWord } = layout.channelWord;
const { next: nextWord, holds: holdsWord } = layout.cursorWord;
/** Lost races with the publisher in one take. Each goes on further from what is being overwritten. */
const mostRaces = 8;
/** Looks at an entry between two looks at the clock. */
const looksPerClock = 4096;
/** Messages of an iteration between two turns of the event loop. */
const messagesPerTurn = 128;

/** Fields are private by TypeScript and not by `#`, which costs the compiler its inlining (magazines.ts). */
export class Subscription implements MessageHolder {
  readonly shape: layout.ChannelShape;
  private readonly words: Int32Array;
  private readonly cursor: Int32Array;
  private readonly frameCount: number;
  private readonly mask: number;
  private readonly entriesAt: number;
  private readonly standing: Standing;
  private readonly freeHolds: number[];
  private freeCount: number;
  private readonly views: FrameViews;
  private readonly sleeper: Sleeper;
  private readonly canWait: boolean;
  /** Whether the publisher asks how far this side is. */
  private readonly isWatched: boolean;
  /** Only of a publisher that waits for room. */
  private readonly publisher: Waker | null;
  private next: number;
  private droppedCount = 0;
  private takenCount = 0;
  private end: SubscriptionEnd | null = null;
  private ending: string | null = null;
  /** Where it ends in any case once `ending` says why. */
  private endSequence = 0;

  /** Made by `openSubscription`. */
  constructor(options: SubscriptionOptions) {
    const { channel, cursor, slot, nonce, wake = null, publisherWake = null } = options;
    const { shape, words } = layout.readChannel(channel);
    layout.requireWritable('cursor', cursor);
    this.cursor = layout.readCursor(cursor, nonce);
    checkOptions(options, shape);
    this.shape = shape;
    this.words = words;
    const places = layout.placesOf(shape);
    this.frameCount = places.frameCount;
    this.mask = shape.entries - 1;
    this.entriesAt = places.entriesAt;
    this.standing = new Standing(words, slot, nonce);
    if (this.standing.isRemoved)
      throw new NativeError('not_found', `slot ${slot}: the publisher has not admitted nonce ${nonce} there`);
    // The first one is used first.
    this.freeHolds = Array.from({ length: shape.maxHeld }, (_, at) => shape.maxHeld - 1 - at);
    this.freeCount = shape.maxHeld;
    this.views = new FrameViews(channel, places);
    this.sleeper = new Sleeper(this.cursor, layout.cursorWord.sleep, wake);
    this.isWatched = shape.policy !== 'drop-oldest';
    this.canWait = wake !== null;
    this.publisher =
      shape.policy === 'block'
        ? new Waker(words, layout.channelWord.sleep, () => publisherWake !== null && signal(publisherWake))
        : null;
    this.next = this.standing.startSequence;
    Atomics.store(this.cursor, nextWord, this.next);
    Atomics.store(this.cursor, layout.cursorWord.joined, 1);
  }

  /** Why nothing more comes; null as long as something may. */
  get ended(): SubscriptionEnd | null {
    return this.end;
  }

  /** Messages that the publisher overwrote before they were taken here. */
  get dropped(): number {
    return this.droppedCount;
  }

  get taken(): number {
    return this.takenCount;
  }

  get held(): number {
    return this.isLeft || this.isRemoved ? 0 : this.shape.maxHeld - this.freeCount;
  }

  get isLeft(): boolean {
    return this.end === 'left';
  }

  /** Whether a take saw that the publisher removed the slot: nothing that is held is kept any more. */
  get isRemoved(): boolean {
    return this.end === 'removed';
  }

  /** The oldest message not taken yet; null when there is none now, or never again (`ended`). */
  take(): Message | null {
    const at = this.entryAt;
    // A look that costs little: what it finds is looked at in earnest by `takeAt`.
    if (this.words[at] !== this.next) return this.takeLate();
    return this.takeAt(at) ?? this.takeLate();
  }

  /** As `take`, but looks until there is one or performance.now() reaches the deadline. */
  takeSpinning(deadlineMs: number): Message | null {
    for (;;) {
      const { words, next, entryAt: at } = this;
      // Nothing else is looked at meanwhile: each line that both sides use costs a way from core to core.
      for (let looks = 0; looks < looksPerClock && words[at] !== next; looks += 1);
      const message = this.take();
      if (message !== null || this.end !== null) return message;
      if (words[at] !== next && performance.now() >= deadlineMs) return this.take();
    }
  }

  /** True when a take may find something; false when the time is up, the signal aborted, or the end came. */
  async wait(options: WaitOptions = {}): Promise<boolean> {
    if (!this.canWait)
      throw new NativeError('unsupported', 'wait: opened without a wake; pass one, or use takeSpinning');
    await this.sleeper.until(() => this.isStirring(), options);
    return this.hasNext();
  }

  /** Messages as they come, until the end or an abort. Each is the caller's to release. */
  async *messages(options: { signal?: AbortSignal } = {}): AsyncGenerator<Message, void, undefined> {
    for (let turns = 1; options.signal?.aborted !== true; turns += 1) {
      // A publisher that never pauses must not keep this thread from everything else.
      if (turns % messagesPerTurn === 0) await setImmediate();
      const message = this.take();
      if (message !== null) yield message;
      else if (this.end !== null) return;
      else await this.wait(options);
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<Message, void, undefined> {
    return this.messages();
  }

  /** The publisher is gone: what is in the ring by now can still be taken, and then this is the end. */
  finish(reason: string): void {
    // One more than the head: the publisher may have died between the entry and the head.
    if (this.ending === null) this.endSequence = (loadAcquire(this.words, headWord) + 1) | 0;
    this.ending ??= reason;
    this.sleeper.stir();
  }

  /** Releases everything and ends; the publisher removes the slot. */
  leave(): void {
    if (this.isLeft) return;
    this.end = 'left';
    this.freeCount = 0;
    for (let hold = 0; hold < this.shape.maxHeld; hold += 1) Atomics.store(this.cursor, holdsWord + hold, 0);
    Atomics.store(this.cursor, layout.cursorWord.left, 1);
    this.publisher?.wakeIfAsleep();
    this.sleeper.stir();
  }

  [Symbol.dispose](): void {
    this.leave();
  }

  /** For messages. */
  viewOf(frame: number, length: number): Uint8Array {
    return this.views.view(frame, length);
  }

  /** For messages. */
  letGo(hold: number): void {
    // After what was read of the frame.
    storeRelease(this.cursor, holdsWord + hold, 0);
    this.freeHolds[this.freeCount] = hold;
    this.freeCount += 1;
  }

  /** Null when the entry is not the next one, or ceased to be while it was taken. */
  private takeAt(at: number): Message | null {
    const { words, cursor, next } = this;
    // What is read after it was written before it.
    if (loadAcquire(words, at) !== next) return null;
    if (this.freeCount === 0) return this.refuseHold();
    const description = layout.descriptionAt(at, next, this.shape.entries);
    const frame = words[description + frameWord] as number;
    const length = words[description + lengthWord] as number;
    const hold = this.freeHolds[this.freeCount - 1] as number;
    Atomics.store(cursor, holdsWord + hold, (frame + 1) | 0);
    // A publisher that removed the slot looks at its holds no more. One that does so later is seen by the next take.
    if (loadAcquire(words, at) !== next || this.isOver()) {
      Atomics.store(cursor, holdsWord + hold, 0);
      return null;
    }
    if (frame >>> 0 >= this.frameCount || length >>> 0 > this.shape.frameBytes) {
      Atomics.store(cursor, holdsWord + hold, 0);
      throw layout.damagedChannel(`frame ${frame} of ${length} bytes`);
    }
    this.freeCount -= 1;
    this.next = (next + 1) | 0;
    this.takenCount += 1;
    if (this.isWatched) this.tellNext();
    return new Message(this, next, frame, length, hold);
  }

  /** After the hold: a publisher that waits overwrites the entry now. */
  private tellNext(): void {
    Atomics.store(this.cursor, nextWord, this.next);
    this.publisher?.wakeIfAsleep();
  }

  /** Of the next sequence. */
  private get entryAt(): number {
    return this.entriesAt + (this.next & this.mask) * wordsPerEntry;
  }

  private isOver(): boolean {
    if (this.standing.isRemoved) this.end ??= 'removed';
    else if (this.ending !== null && ((this.next - this.endSequence) | 0) >= 0) this.end ??= this.ending;
    return this.end !== null;
  }

  private refuseHold(): null {
    if (this.isOver()) return null;
    throw layout.tooManyHeld(this.shape.maxHeld);
  }

  /** The next entry is not there: nothing is published, or it was overwritten, or this is the end. */
  private takeLate(): Message | null {
    const { words } = this;
    for (let races = 0; races < mostRaces; races += 1) {
      if (this.end !== null) return null;
      const at = this.entryAt;
      // Before the entry is looked at: after a close nothing is published any more.
      const end = this.standing.end ?? this.ending;
      const message = this.takeAt(at);
      if (message !== null || this.end !== null) return message;
      const behind = (loadAcquire(words, headWord) - this.next) | 0;
      // -1: taken between the publisher's last two stores.
      if (behind === 0 || behind === -1 || end === 'disconnected' || end === 'removed') {
        this.end = end;
        return null;
      }
      if (behind > 0 && behind < this.shape.entries) this.requireEntry(at);
      else this.skip(behind, races);
    }
    return null;
  }

  /** What is published is there until the head is a ring ahead of it; the head is looked at last. */
  private requireEntry(at: number): void {
    if (loadAcquire(this.words, at) === this.next) return;
    const behind = (loadAcquire(this.words, headWord) - this.next) | 0;
    if (behind > 0 && behind < this.shape.entries)
      throw layout.damagedChannel(`no sequence ${this.next} in a ring that is ${behind} ahead`);
  }

  /** To the oldest that may still be there; further on after each race that was lost. */
  private skip(behind: number, races: number): void {
    const { entries } = this.shape;
    const margin = races === 0 ? 0 : Math.min(entries - 1, (entries >>> 3) * races + 1);
    // Of more than 2^31 the sign is lost, and the count of what was dropped is right modulo 2^32 only.
    const skipped = Math.max(1, (behind >>> 0) - entries + margin);
    this.next = (this.next + skipped) | 0;
    this.droppedCount += skipped;
    if (this.isWatched) this.tellNext();
  }

  private hasNext(): boolean {
    if (this.end !== null || this.standing.isRemoved) return false;
    if (loadAcquire(this.words, this.entryAt) === this.next) return true;
    const behind = (loadAcquire(this.words, headWord) - this.next) | 0;
    return behind !== 0 && behind !== -1;
  }

  private isStirring(): boolean {
    return (this.end ?? this.standing.end ?? this.ending) !== null || this.hasNext();
  }
}

export function openSubscription(options: SubscriptionOptions): Subscription {
  return new Subscription(options);
}
