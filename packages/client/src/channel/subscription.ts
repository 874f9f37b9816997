/** What a subscriber has, in place or copied: the same words, and the truth about which of the two it is. */
import type { ReadonlyBytes } from '../read-only-bytes.ts';

export interface ChannelMessage<T> extends Disposable {
  /** Of 32 bits, and wraps. */
  readonly sequence: number;
  readonly length: number;
  /** False: the bytes are the publisher's, in shared memory. */
  readonly copied: boolean;
  /** Until `release()`. */
  readonly bytes: ReadonlyBytes;
  /** Decoded anew at each look; without a codec the bytes. */
  readonly value: T;
  /** To be called once; in place it gives the frame back to the publisher. */
  release(): void;
}

export interface WaitingOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface Subscription<T> extends AsyncIterable<ChannelMessage<T>>, AsyncDisposable {
  readonly channel: string;
  /** The container that publishes. */
  readonly from: string;
  readonly copied: boolean;
  /** Why the frames are copied; null when they are not. */
  readonly reason: string | null;
  /** Frames that were published and overwritten, or lost, before they were taken here. */
  readonly dropped: number;
  /** Why no more will come; null as long as one may. */
  readonly endReason: string | null;
  /** The oldest frame not taken yet; null when there is none now, or never again (`endReason`). */
  take(): ChannelMessage<T> | null;
  /** As `take`, but looks for up to so long without giving the thread away. Copies arrive only when it is given away. */
  takeSpinning(spinMs: number): ChannelMessage<T> | null;
  /** Waits for a frame; null at the end, the time-out or the abort. */
  next(options?: WaitingOptions): Promise<ChannelMessage<T> | null>;
  /** Releases everything. Twice is the same as once. */
  close(): Promise<void>;
}

/** How one waits: by a wake-up, or by looking without end for the time of one frame, which takes a whole core. */
export type Waiting = 'event' | 'spin';
