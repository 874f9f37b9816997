// Test support: a channel in memory of its own with subscribers beside it, each through mappings with the rights that
// it has in production, and frames whose bytes say which sequence was published there.

import type { Mapping } from '../../mapping.ts';
import { createSegment, mapSegment } from '../../segment.ts';
import { type ChannelOptions, channelBytes, cursorBytes } from '../layout.ts';
import type { Message } from '../message.ts';
import { createChannel, type Publisher, type PublisherOptions } from '../publisher.ts';
import { openSubscription, type Subscription } from '../subscription.ts';
import { createCursor } from '../subscription-types.ts';
import type { Wake } from '../wake.ts';

/** A segment as its writer and as everybody else sees it. */
export function mapTwice(name: string, bytes: number): { own: Mapping; theirs: Mapping } {
  using segment = createSegment({ name, bytes });
  return {
    own: mapSegment(segment, { access: 'read-write' }),
    theirs: mapSegment(segment, { access: 'read-only' }),
  };
}

/** The number of bytes that the message with this sequence has. */
export function lengthFor(sequence: number, frameBytes: number): number {
  return sequence % 3 === 0 ? frameBytes : (sequence >>> 1) % (frameBytes + 1);
}

export function fill(bytes: Uint8Array, sequence: number): void {
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = sequence * 31 + (sequence >>> 8) * 17 + at * 7;
}

/** Whether the bytes are those that were published with the message's sequence. */
export function isIntact(message: Message, frameBytes: number): boolean {
  const { bytes, sequence, length } = message;
  if (length !== lengthFor(sequence, frameBytes) || bytes.length !== length) return false;
  return bytes.every((byte, at) => byte === ((sequence * 31 + (sequence >>> 8) * 17 + at * 7) & 0xff));
}

export interface Joined {
  readonly subscription: Subscription;
  readonly slot: number;
  readonly startSequence: number;
  /** As the subscriber sees it. */
  readonly cursor: Mapping;
}

export class Rig {
  readonly publisher: Publisher;
  readonly options: PublisherOptions;
  /** As the publisher sees it. */
  readonly channel: Mapping;
  /** As subscribers see it. */
  readonly channelRead: Mapping;
  sequence: number;
  #nonce = 0;

  constructor(options: PublisherOptions) {
    const { own, theirs } = mapTwice('channel', channelBytes(options as ChannelOptions));
    this.options = options;
    this.channel = own;
    this.channelRead = theirs;
    this.publisher = createChannel(own, options);
    this.sequence = options.firstSequence ?? 0;
  }

  join(wake: Wake | null = null, publisherWake: Wake | null = null): Joined {
    this.#nonce += 1;
    const nonce = this.#nonce;
    const { own, theirs } = mapTwice('cursor', cursorBytes);
    createCursor(own, { nonce });
    const admitted = this.publisher.admit({ nonce, cursor: theirs, wake: wake?.signalDescriptor ?? null });
    const subscription = openSubscription({
      channel: this.channelRead,
      cursor: own,
      slot: admitted.slot,
      nonce,
      wake,
      publisherWake: publisherWake?.signalDescriptor ?? null,
    });
    return { subscription, ...admitted, cursor: own };
  }

  /** Publishes the next sequence with its content; false when there is no room. */
  publish(): boolean {
    const frame = this.publisher.loan();
    if (frame === null) throw new Error('no frame to loan');
    const length = lengthFor(this.sequence, this.options.frameBytes);
    fill(frame.bytes.subarray(0, length), this.sequence);
    // What was there before must not be seen through a length that is too long.
    frame.bytes.fill(0xee, length);
    if (!this.publisher.tryPublish(frame, length)) {
      this.publisher.discard(frame);
      return false;
    }
    this.sequence = (this.sequence + 1) | 0;
    return true;
  }

  isIntact(message: Message): boolean {
    return isIntact(message, this.options.frameBytes);
  }
}
