// A frame as a subscriber has it: in place, and its own until it is released. One object a message, so that what was
// released can be told from what came after it.

import { NativeError } from '../errors.ts';

/** What a message needs of the subscription that took it. */
export interface MessageHolder {
  readonly isLeft: boolean;
  /** The publisher keeps no frame for it any more. */
  readonly isRemoved: boolean;
  viewOf(frame: number, length: number): Uint8Array;
  letGo(hold: number): void;
}

export class Message {
  /** Of 32 bits, and wraps. */
  readonly sequence: number;
  readonly length: number;
  private readonly frame: number;
  private readonly hold: number;
  /** Null once it was released. */
  private holder: MessageHolder | null;

  /** Made by `Subscription.take`. */
  constructor(holder: MessageHolder, sequence: number, frame: number, length: number, hold: number) {
    this.holder = holder;
    this.sequence = sequence;
    this.frame = frame;
    this.length = length;
    this.hold = hold;
  }

  get isHeld(): boolean {
    return this.holder !== null && !this.holder.isLeft && !this.holder.isRemoved;
  }

  /**
   * In the publisher's segment, to be read only: a write ends the process. They are these bytes until release(), as
   * far as the publisher keeps to the rules: its memory is its own, and what matters is checked after it was copied.
   */
  get bytes(): Uint8Array {
    const holder = this.held();
    if (holder.isRemoved)
      throw new NativeError('closed', `message ${this.sequence}: the publisher removed this subscription`);
    return holder.viewOf(this.frame, this.length);
  }

  release(): void {
    this.held().letGo(this.hold);
    this.holder = null;
  }

  [Symbol.dispose](): void {
    if (this.isHeld) this.release();
  }

  private held(): MessageHolder {
    if (this.holder === null || this.holder.isLeft)
      throw new NativeError('closed', `message ${this.sequence}: already released`);
    return this.holder;
  }
}
