/**
 * Frames of a channel as bytes, for who cannot map them: no JSON, no contract, one header. What is larger than half
 * of what the server takes goes in parts; what is lost shows in the sequence, and nothing is sent twice.
 */
import { headers, type Msg } from '@nats-io/transport-node';
import { type DataAddress, dataSubject, headerNames } from '@nautilus/contracts';
import type { Subscription } from './bus.ts';
import { classify } from './classify.ts';
import type { Link } from './link.ts';
import { openSubscription, stopSubscription } from './subscription.ts';

/** One part of one frame. A frame has at least one part; none says that the stream is over. */
export interface FramePart {
  /** Names the life of the publisher's channel: another one begins a new count. */
  readonly stream: string;
  /** 32 bits, wrapping. */
  readonly sequence: number;
  readonly part: number;
  readonly parts: number;
  /** Bytes of the whole frame. */
  readonly length: number;
}

/** When the server has not said: NATS's own default. */
const defaultPayloadBytes = 2 ** 20;

export function largestPartBytes(link: Link): number {
  return Math.floor((link.nc.info?.max_payload ?? defaultPayloadBytes) / 2);
}

/** False: the link is down and the part was not sent. */
export function publishData(link: Link, at: DataAddress, part: FramePart, bytes: Uint8Array): boolean {
  const subject = dataSubject(at);
  if (link.state === 'disconnected' && !link.closing) {
    link.stats.publishesDropped += 1;
    return false;
  }
  link.assertUsable(subject);
  const sent = headers();
  sent.set(headerNames.frame, `${part.stream} ${part.sequence} ${part.part} ${part.parts} ${part.length}`);
  try {
    // The client sends later, by reference, and the frame is written again before that.
    link.nc.publish(subject, bytes.slice(), { headers: sent });
  } catch (error) {
    throw classify(error, subject);
  }
  link.stats.published += 1;
  return true;
}

/** Called inside the client's read loop: the bytes are the callback's to keep, and it must be quick. */
export async function subscribeData(
  link: Link,
  at: DataAddress,
  take: (part: FramePart, bytes: Uint8Array) => void,
): Promise<Subscription> {
  const subject = dataSubject(at);
  link.assertUsable(subject);
  const opened = await openSubscription(link, subject, {
    take: (message) => {
      const part = partOf(message);
      if (part === null) {
        link.stats.invalidMessages += 1;
        link.log.warn({ subject }, `bus: a frame without a usable ${headerNames.frame} header`);
        return;
      }
      try {
        take(part, message.data);
      } catch (error) {
        // What leaves the callback ends the client's read loop, and with it all that this process hears.
        link.stats.handlerErrors += 1;
        link.log.error({ subject, error }, 'bus: a frame could not be taken');
      }
    },
  });
  const subscription: Subscription = {
    subject,
    async drain() {
      await stopSubscription(link, opened);
      untrack();
    },
  };
  const untrack = link.track(subscription);
  return subscription;
}

function partOf(message: Msg): FramePart | null {
  const text = message.headers?.get(headerNames.frame) ?? '';
  const found = /^(\S{1,64}) (\d{1,10}) (\d{1,7}) (\d{1,7}) (\d{1,15})$/.exec(text);
  if (found === null) return null;
  const [, stream = '', ...numbers] = found;
  const [sequence = 0, part = 0, parts = 0, length = 0] = numbers.map(Number);
  const isWhole = part < Math.max(1, parts) && message.data.length <= length;
  return isWhole ? { stream, sequence, part, parts, length } : null;
}
