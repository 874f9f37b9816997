/** The two ends of a channel between two processes, each over segments of which it is the only writer. */
import {
  channelBytes,
  createChannel,
  createCursor,
  createSegment,
  createWake,
  cursorBytes,
  type Descriptor,
  mapSegment,
  openSubscription,
  type Publisher,
  type PublisherOptions,
  reopenReadOnly,
  type Subscription,
} from '@nautilus/native';
import type { Wire } from './wire.ts';

/** For one frame at a time there and back. Frames are never touched as a whole, so many of them cost address space only. */
export function pingPong(frameBytes: number): PublisherOptions {
  return { entries: 8, loans: 8, maxSubscribers: 1, maxHeld: 8, frameBytes };
}

/** One process: the cursor names it, and there is no second one on a wire. */
const nonce = 7;

/** Reads a frame that was filled with one value; false when it is not. */
export function readAll(bytes: Uint8Array): boolean {
  // Native code reads it: a loop here would measure itself.
  const half = bytes.length >>> 1;
  return Buffer.compare(bytes.subarray(0, half), bytes.subarray(half, half * 2)) === 0;
}

export interface PublishingEnd extends Disposable {
  readonly publisher: Publisher;
}

/** The publishing end, when the peer on each wire has joined. */
export async function publishTo(wires: readonly Wire[], options: PublisherOptions): Promise<PublishingEnd> {
  const segment = createSegment({ name: 'bench-channel', bytes: channelBytes(options) });
  const wake = createWake();
  const publisher = createChannel(mapSegment(segment, { access: 'read-write' }), { ...options, wake });
  using readable = reopenReadOnly(segment);
  const wakes: Descriptor[] = [];
  for (const wire of wires) {
    wire.send({}, [readable, wake.signalDescriptor]);
    const { descriptors } = await wire.receive();
    const [cursor, cursorWake] = descriptors;
    if (cursor === undefined || cursorWake === undefined) throw new Error('the subscriber sent no cursor');
    wakes.push(cursorWake);
    const mapping = mapSegment(cursor, { access: 'read-only' });
    cursor.close();
    wire.send({ ...publisher.admit({ nonce, cursor: mapping, wake: cursorWake }) });
  }
  segment.close();
  return {
    publisher,
    [Symbol.dispose]() {
      publisher.close();
      wake.close();
      for (const each of wakes) each.close();
    },
  };
}

export interface SubscribingEnd extends Disposable {
  readonly subscription: Subscription;
}

export async function subscribeOn(wire: Wire): Promise<SubscribingEnd> {
  const { descriptors } = await wire.receive();
  const [readable, publisherWake] = descriptors;
  if (readable === undefined || publisherWake === undefined) throw new Error('the publisher sent no channel');
  using segment = createSegment({ name: 'bench-cursor', bytes: cursorBytes });
  const cursor = mapSegment(segment, { access: 'read-write' });
  createCursor(cursor, { nonce });
  const wake = createWake();
  using readableCursor = reopenReadOnly(segment);
  wire.send({}, [readableCursor, wake.signalDescriptor]);
  const { body } = await wire.receive();
  const channel = mapSegment(readable, { access: 'read-only' });
  readable.close();
  wake.ref();
  const slot = Number(body['slot']);
  const subscription = openSubscription({ channel, cursor, slot, nonce, wake, publisherWake });
  return {
    subscription,
    [Symbol.dispose]() {
      subscription.leave();
      wake.close();
      publisherWake.close();
    },
  };
}
