/**
 * A subscription whose frames come over NATS, because this container cannot map them. It asks again and again for the
 * right to them: that is its sign of life, and how it hears that the right or the channel is gone.
 */

import { setImmediate } from 'node:timers/promises';
import type { FramePart } from '@nautilus/bus';
import { NautilusError } from '@nautilus/contracts';
import { alreadyClosed } from '../faults.ts';
import type { Codec } from './codec.ts';
import { FrameAssembler, type WholeFrame } from './frame-parts.ts';
import type { ChannelMessage, Subscription, WaitingOptions } from './subscription.ts';

export interface CopiedOptions<T> {
  readonly channel: string;
  readonly from: string;
  readonly reason: string;
  readonly stream: string;
  readonly startSequence: number;
  readonly frameBytes: number;
  readonly codec: Codec<T> | null;
  onTaken(bytes: number): void;
  close(): Promise<void>;
}

/** Whole frames that wait here to be taken; beyond either, the oldest is dropped, but never the only one. */
const mostQueued = 1_024;
const mostQueuedBytes = 2 ** 26;
const framesPerTurn = 128;

export class CopiedSubscription<T> implements Subscription<T> {
  readonly channel: string;
  readonly from: string;
  readonly copied = true;
  readonly reason: string;
  readonly #options: CopiedOptions<T>;
  readonly #assembler: FrameAssembler;
  readonly #queue: WholeFrame[] = [];
  #queuedBytes = 0;
  #overflowed = 0;
  #ending: string | null = null;
  #wake: (() => void) | null = null;
  #closing: Promise<void> | null = null;

  /** Made by `client.subscribe()`. */
  constructor(options: CopiedOptions<T>) {
    this.channel = options.channel;
    this.from = options.from;
    this.reason = options.reason;
    this.#options = options;
    const { stream, startSequence, frameBytes } = options;
    this.#assembler = new FrameAssembler({ stream, sequence: startSequence, frameBytes });
  }

  get dropped(): number {
    return this.#assembler.dropped + this.#overflowed;
  }

  get endReason(): string | null {
    return this.#queue.length === 0 ? this.#ending : null;
  }

  take(): ChannelMessage<T> | null {
    if (this.#closing !== null) throw alreadyClosed(`the subscription of channel ${this.channel}`);
    const frame = this.#queue.shift();
    if (frame === undefined) return null;
    this.#queuedBytes -= frame.bytes.length;
    this.#options.onTaken(frame.bytes.length);
    return new CopiedMessage(frame, this.#options.codec);
  }

  takeSpinning(_spinMs: number): ChannelMessage<T> | null {
    return this.take();
  }

  async next({ timeoutMs, signal }: WaitingOptions = {}): Promise<ChannelMessage<T> | null> {
    const message = this.take();
    if (message !== null || this.#ending !== null || signal?.aborted === true) return message;
    if (timeoutMs !== undefined && timeoutMs <= 0) return null;
    await this.#arrival(timeoutMs, signal);
    return this.#closing === null ? this.take() : null;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ChannelMessage<T>, void, undefined> {
    for (let yielded = 1; this.#closing === null; yielded += 1) {
      const message = await this.next();
      if (message === null) return;
      yield message;
      if (yielded % framesPerTurn === 0) await setImmediate();
    }
  }

  close(): Promise<void> {
    this.end('left');
    this.#closing ??= this.#options.close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** For the client: a part arrived. */
  arrive(part: FramePart, bytes: Uint8Array): void {
    if (this.#ending !== null) return;
    if (this.#assembler.isEnd(part)) {
      this.#assembler.end(part);
      this.end('closed');
      return;
    }
    const frame = this.#assembler.take(part, bytes);
    if (frame === null) return;
    this.#queue.push(frame);
    this.#queuedBytes += frame.bytes.length;
    const isFull = (): boolean => this.#queue.length > mostQueued || this.#queuedBytes > mostQueuedBytes;
    while (this.#queue.length > 1 && isFull()) {
      this.#queuedBytes -= this.#queue.shift()?.bytes.length ?? 0;
      this.#overflowed += 1;
    }
    this.#wake?.();
  }

  /** For the client: nothing more will come. What has arrived can still be taken. */
  end(reason: string): void {
    this.#ending ??= reason;
    this.#wake?.();
  }

  #arrival(timeoutMs: number | undefined, signal: AbortSignal | undefined): Promise<void> {
    if (this.#wake !== null)
      throw new NautilusError({
        code: 'invalid_request',
        message: `channel ${this.channel}: one wait is under way already; await it first`,
      });
    return new Promise((resolve) => {
      const done = (): void => {
        this.#wake = null;
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = timeoutMs === undefined ? undefined : setTimeout(done, timeoutMs);
      signal?.addEventListener('abort', done, { once: true });
      this.#wake = done;
    });
  }
}

class CopiedMessage<T> implements ChannelMessage<T> {
  readonly copied = true;
  readonly sequence: number;
  readonly length: number;
  readonly #codec: Codec<T> | null;
  #bytes: Uint8Array | null;

  constructor(frame: WholeFrame, codec: Codec<T> | null) {
    this.sequence = frame.sequence;
    this.length = frame.bytes.length;
    this.#bytes = frame.bytes;
    this.#codec = codec;
  }

  get bytes(): Uint8Array {
    if (this.#bytes === null) throw alreadyClosed(`message ${this.sequence}`);
    return this.#bytes;
  }

  get value(): T {
    // Without a codec T is the type of the bytes: `client.subscribe` says so.
    return this.#codec === null ? (this.bytes as T) : this.#codec.decode(this.bytes);
  }

  /** Nobody waits for the memory, but who releases twice would be wrong in place. */
  release(): void {
    if (this.#bytes === null) throw alreadyClosed(`message ${this.sequence}`);
    this.#bytes = null;
  }

  [Symbol.dispose](): void {
    this.#bytes = null;
  }
}
