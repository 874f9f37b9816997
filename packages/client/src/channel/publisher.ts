/**
 * One channel from its publisher's side. Frames are filled and published in shared memory without a message; only who
 * cannot map them is sent copies. Who subscribes is the agent's word, and its end the agent's too.
 */
import { fail, NautilusError, ok, type Result } from '@nautilus/contracts';
import { NativeError, type Publisher as NativePublisher, type PublisherFrame } from '@nautilus/native';
import type { Counters } from '../counters.ts';
import { alreadyClosed, toNautilusError, translated } from '../faults.ts';
import type { Codec } from './codec.ts';
import type { Copies } from './copies.ts';
import type { SharedMapping } from './shared-mapping.ts';

export interface PublisherOptions<T> {
  readonly channel: string;
  readonly segment: string;
  readonly core: NativePublisher;
  readonly copies: Copies;
  readonly codec: Codec<T> | null;
  readonly counters: Counters;
  close(publisher: Publisher<T>): Promise<void>;
}

export interface PublisherStats {
  readonly published: number;
  /** In place; copied subscriptions are not among them. */
  readonly subscribers: number;
  /** Subscribers that were too slow for the policy 'disconnect', or for `blockTimeoutMs`. */
  readonly disconnected: number;
  /** Copies that were not sent because the link was down or full. */
  readonly copiesSpared: number;
}

export interface Admitted {
  readonly slot: number | null;
  readonly startSequence: number;
  readonly frameBytes: number;
}

interface Kept {
  readonly bytes: Uint8Array;
  readonly sequence: number;
}

export class Publisher<T = Uint8Array> implements AsyncDisposable {
  readonly channel: string;
  /** The channel's segment, as `client.describe()` lists it. */
  readonly segment: string;
  readonly frameBytes: number;
  readonly #options: PublisherOptions<T>;
  // Without a #, which would keep the compiler from inlining what publishes.
  private readonly core: NativePublisher;
  private readonly copies: Copies;
  private readonly counters: Counters;
  /** For copied newcomers: what the ring still has, by place. */
  private readonly history: (Kept | undefined)[];
  /** Frames published; the low 32 bits are the next sequence. */
  private published = 0;
  private isOver = false;
  private isWaiting = false;
  #endReason: string | null = null;
  #closing: Promise<void> | null = null;

  /** Made by `client.publish()`. */
  constructor(options: PublisherOptions<T>) {
    this.channel = options.channel;
    this.segment = options.segment;
    this.frameBytes = options.core.shape.frameBytes;
    this.#options = options;
    this.core = options.core;
    this.copies = options.copies;
    this.counters = options.counters;
    this.history = new Array<Kept | undefined>(options.core.shape.history).fill(undefined);
  }

  /** Why the channel is over although it was not closed here; null as long as it is not. */
  get endReason(): string | null {
    return this.#endReason;
  }

  /** 32 bits, wrapping. */
  get nextSequence(): number {
    return this.published | 0;
  }

  get maximumSubscribers(): number {
    return this.core.shape.maxSubscribers;
  }

  get closed(): boolean {
    return this.#closing !== null;
  }

  /** A frame to fill in place; null when as many as `loans` allows are out already. */
  loan(): PublisherFrame | null {
    if (this.isOver) throw this.#overError();
    return this.core.loan();
  }

  /** Gives a loan back that is not published after all. */
  discard(frame: PublisherFrame): void {
    translated(`channel ${this.channel}`, () => this.core.discard(frame));
  }

  /** The first `length` bytes go out, in place. Under 'block' without room: `overloaded`, and the loan stays. */
  publish(frame: PublisherFrame, length: number): void {
    if (this.tryPublish(frame, length)) return;
    throw new NautilusError({
      code: 'overloaded',
      message: `channel ${this.channel}: a subscriber has not taken the oldest frame yet; publishWaiting() waits for it`,
    });
  }

  /** False only under 'block', when a subscriber has not taken what would be overwritten: then the loan stays. */
  tryPublish(frame: PublisherFrame, length: number): boolean {
    if (this.isOver) throw this.#overError();
    if (this.isWaiting) throw this.#waitingError();
    try {
      if (!this.core.tryPublish(frame, length)) return false;
    } catch (error) {
      throw toNautilusError(error, `channel ${this.channel}`);
    }
    this.isOut(frame, length);
    return true;
  }

  /**
   * Waits for room under 'block'; false when the signal aborted first: then the loan stays. Nothing else is published
   * meanwhile: copies go out when the wait is over, and have the sequence of the frame that it published.
   */
  async publishWaiting(
    frame: PublisherFrame,
    length: number,
    options: { signal?: AbortSignal } = {},
  ): Promise<boolean> {
    if (this.isOver) throw this.#overError();
    if (this.isWaiting) throw this.#waitingError();
    this.isWaiting = true;
    const refused = (error: unknown): never => {
      throw toNautilusError(error, `channel ${this.channel}`);
    };
    try {
      if (!(await this.core.publishWaiting(frame, length, options).catch(refused))) return false;
      this.isOut(frame, length);
      return true;
    } finally {
      this.isWaiting = false;
    }
  }

  /** Encodes into a frame and publishes it. False when there is no loan, or under 'block' no room. */
  send(value: T): boolean {
    const frame = this.loan();
    if (frame === null) return false;
    let isOut = false;
    try {
      isOut = this.tryPublish(frame, this.#encode(value, frame.bytes));
      return isOut;
    } finally {
      if (!isOut && frame.isLoaned) this.discard(frame);
    }
  }

  stats(): PublisherStats {
    const { published, subscribers, disconnected } = this.core.stats();
    return { published, subscribers, disconnected, copiesSpared: this.copies.spared };
  }

  /** Subscribers take what is in the ring, then their iterations end. Twice is the same as once. */
  close(): Promise<void> {
    this.isOver = true;
    this.#closing ??= this.#options.close(this);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** For the client: a subscriber in place. */
  admit(nonce: number, cursor: SharedMapping): Result<Admitted> {
    if (this.closed) return fail('draining', `channel ${this.channel} is closing`);
    try {
      const admitted = this.core.admit({ nonce, cursor: cursor.mapping, wake: cursor.wake });
      return ok({ ...admitted, frameBytes: this.frameBytes });
    } catch (error) {
      if (!(error instanceof NativeError)) throw error;
      // What is wrong with a cursor is its subscriber's fault, and its answer; so is that there is no place left.
      const { code, message } = toNautilusError(error, `channel ${this.channel}`);
      return fail(code === 'overloaded' ? 'over_budget' : code, message, { scope: 'subscribers' });
    }
  }

  /** For the client: a subscriber over NATS. A new one is sent the history. */
  admitCopy(subscriber: string, subscription: string): Result<Admitted> {
    if (this.closed) return fail('draining', `channel ${this.channel} is closing`);
    const { copies } = this;
    const admitted = copies.admit(subscriber, subscription);
    if (!admitted.ok) return admitted;
    const past = this.#past();
    if (admitted.value) for (const { sequence, bytes } of past) copies.sendTo(subscriber, sequence, bytes);
    const startSequence = past[0]?.sequence ?? this.published | 0;
    return ok({ slot: null, startSequence, frameBytes: this.frameBytes });
  }

  /** For the client: a copied subscription is over. */
  dismissCopy(subscriber: string, subscription: string): void {
    this.copies.dismiss(subscriber, subscription);
  }

  /** For the client: a subscriber in place is gone; its cursor may be unmapped. */
  remove(slot: number): void {
    this.core.remove(slot);
  }

  /** For the client: the agent ended the lease. Nobody else can be let in, and nothing more is published. */
  end(reason: string): void {
    this.isOver = true;
    this.#endReason ??= reason;
    this.core.close();
  }

  private isOut(frame: PublisherFrame, length: number): void {
    const sequence = this.published | 0;
    this.published += 1;
    this.counters.framesPublished += 1;
    const { length: kept } = this.history;
    if (kept > 0)
      this.history[(this.published - 1) % kept] = { sequence, bytes: frame.bytes.subarray(0, length) };
    if (this.copies.isNeeded) this.copies.send(sequence, frame.bytes.subarray(0, length));
  }

  /** Oldest first. At most as many as the ring has, so each is still there. */
  #past(): Kept[] {
    return this.history.filter((kept) => kept !== undefined).sort((a, b) => (a.sequence - b.sequence) | 0);
  }

  #encode(value: T, into: Uint8Array): number {
    const { codec } = this.#options;
    if (codec !== null) return codec.encode(value, into);
    if (!(value instanceof Uint8Array))
      throw new NautilusError({
        code: 'invalid_request',
        message: `channel ${this.channel}: without a codec only bytes can be sent; found ${typeof value}`,
      });
    if (value.length > into.length)
      throw new NautilusError({
        code: 'invalid_size',
        message: `channel ${this.channel}: ${value.length} bytes do not fit its frames of ${into.length}`,
      });
    into.set(value);
    return value.length;
  }

  #waitingError(): NautilusError {
    return new NautilusError({
      code: 'invalid_request',
      message: `channel ${this.channel}: one publishWaiting() is under way already; await it first`,
    });
  }

  #overError(): NautilusError {
    if (this.#closing !== null) return alreadyClosed(`channel ${this.channel}`);
    return new NautilusError({
      code: 'already_released',
      message: `channel ${this.channel} is over: ${this.#endReason}`,
    });
  }
}
