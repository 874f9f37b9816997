/** A subscription that reads the publisher's memory. Taking and releasing are stores in shared memory, and no message. */

import { setImmediate } from 'node:timers/promises';
import type { NautilusError } from '@nautilus/contracts';
import type { Message, Subscription as NativeSubscription } from '@nautilus/native';
import type { Counters } from '../counters.ts';
import { alreadyClosed, toNautilusError } from '../faults.ts';
import type { ReadonlyBytes } from '../read-only-bytes.ts';
import type { Codec } from './codec.ts';
import type { ChannelMessage, Subscription, Waiting, WaitingOptions } from './subscription.ts';

export interface InPlaceOptions<T> {
  readonly channel: string;
  readonly from: string;
  readonly core: NativeSubscription;
  readonly codec: Codec<T> | null;
  readonly waiting: Waiting;
  readonly counters: Counters;
  close(): Promise<void>;
}

/** Frames of an iteration between two turns of the event loop, and the time that it spins before one. */
const framesPerTurn = 128;
const spinMs = 1;

export class InPlaceSubscription<T> implements Subscription<T> {
  readonly channel: string;
  readonly from: string;
  readonly copied = false;
  readonly reason = null;
  readonly #options: InPlaceOptions<T>;
  // Without a #, which would keep the compiler from inlining what takes.
  private readonly core: NativeSubscription;
  private readonly codec: Codec<T> | null;
  private readonly counters: Counters;
  private isClosed = false;
  #closing: Promise<void> | null = null;

  /** Made by `client.subscribe()`. */
  constructor(options: InPlaceOptions<T>) {
    this.channel = options.channel;
    this.from = options.from;
    this.#options = options;
    this.core = options.core;
    this.codec = options.codec;
    this.counters = options.counters;
  }

  get dropped(): number {
    return this.core.dropped;
  }

  get endReason(): string | null {
    return this.core.ended;
  }

  take(): ChannelMessage<T> | null {
    if (this.isClosed) throw this.#closedError();
    try {
      return this.wrap(this.core.take());
    } catch (error) {
      throw toNautilusError(error, `channel ${this.channel}`);
    }
  }

  takeSpinning(forMs: number): ChannelMessage<T> | null {
    if (this.isClosed) throw this.#closedError();
    try {
      return this.wrap(this.core.takeSpinning(performance.now() + forMs));
    } catch (error) {
      throw toNautilusError(error, `channel ${this.channel}`);
    }
  }

  async next(options: WaitingOptions = {}): Promise<ChannelMessage<T> | null> {
    const { timeoutMs, signal } = options;
    const until = timeoutMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs;
    const isSpinning = this.#options.waiting === 'spin';
    for (;;) {
      const message = isSpinning ? this.takeSpinning(spinMs) : this.take();
      if (message !== null || this.endReason !== null || signal?.aborted === true) return message;
      const leftMs = until - performance.now();
      if (leftMs <= 0) return null;
      if (isSpinning) await setImmediate();
      else await this.#wait(leftMs, signal);
      if (this.isClosed) return null;
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ChannelMessage<T>, void, undefined> {
    for (let yielded = 1; !this.isClosed; yielded += 1) {
      const message = await this.next();
      if (message === null) return;
      yield message;
      if (yielded % framesPerTurn === 0) await setImmediate();
    }
  }

  close(): Promise<void> {
    this.isClosed = true;
    this.#closing ??= this.#options.close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #wait(timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.core.wait({
        ...(timeoutMs === Number.POSITIVE_INFINITY ? {} : { timeoutMs }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      throw toNautilusError(error, `channel ${this.channel}`);
    }
  }

  private wrap(message: Message | null): ChannelMessage<T> | null {
    if (message === null) return null;
    this.counters.framesTaken += 1;
    return new InPlaceMessage(message, this.codec);
  }

  #closedError(): NautilusError {
    return alreadyClosed(`the subscription of channel ${this.channel}`);
  }
}

class InPlaceMessage<T> implements ChannelMessage<T> {
  readonly copied = false;
  private readonly message: Message;
  private readonly codec: Codec<T> | null;

  constructor(message: Message, codec: Codec<T> | null) {
    this.message = message;
    this.codec = codec;
  }

  get sequence(): number {
    return this.message.sequence;
  }

  get length(): number {
    return this.message.length;
  }

  get bytes(): ReadonlyBytes {
    try {
      return this.message.bytes;
    } catch (error) {
      throw toNautilusError(error, 'a message of a channel');
    }
  }

  get value(): T {
    // Without a codec T is the type of the bytes: `client.subscribe` says so.
    return this.codec === null ? (this.bytes as T) : this.codec.decode(this.bytes);
  }

  release(): void {
    try {
      this.message.release();
    } catch (error) {
      throw toNautilusError(error, 'a message of a channel');
    }
  }

  [Symbol.dispose](): void {
    if (this.message.isHeld) this.release();
  }
}
