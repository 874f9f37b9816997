/**
 * Which channels this host has, who may read them, and who does. Nothing of it is written down: publishers and
 * subscribers register again with a restarted agent, while the frames flow on. Pure books, no memory.
 */
import { type ChannelReaders, fail, ok, type Result } from '@nautilus/contracts';

export interface Channel {
  readonly channel: string;
  readonly publisher: string;
  readonly segment: string;
  readonly readers: ChannelReaders;
  /** Containers that read in place, by their cursor segments. */
  readonly subscriptions: Map<string, string>;
}

/** More channels of one container are a leak, or mischief. */
export const mostChannels = 256;
/** More would not fit one NATS message with room to spare. */
const mostListed = 1000;

export class Channels {
  readonly #channels = new Map<string, Channel>();

  /** The same segment again is the same channel, with the readers of now. */
  open(entry: Omit<Channel, 'subscriptions'>): Result<Channel> {
    const { publisher, channel, segment } = entry;
    const known = this.#channels.get(keyOf(publisher, channel));
    if (known !== undefined && known.segment !== segment)
      return fail(
        'conflict',
        `${publisher} publishes channel ${channel} already, in ${known.segment}; close that one first`,
        { segment: known.segment },
      );
    if (known === undefined && this.#of(publisher) >= mostChannels)
      return fail('over_budget', `${publisher} publishes ${mostChannels} channels, the most it may`, {
        scope: 'channels',
        limit: mostChannels,
      });
    const opened = { ...entry, subscriptions: known?.subscriptions ?? new Map<string, string>() };
    this.#channels.set(keyOf(publisher, channel), opened);
    return ok(opened);
  }

  /** One that the reader may read. A forbidden one looks like none: existence is not disclosed. */
  find(publisher: string, channel: string, reader: string): Result<Channel> {
    const found = this.#channels.get(keyOf(publisher, channel));
    if (found !== undefined && mayRead(found, reader)) return ok(found);
    return fail('unknown_channel', `${publisher} publishes no channel ${channel} for ${reader}`, {
      channel,
      from: publisher,
    });
  }

  list(reader: string, publisher?: string): { channels: Channel[]; truncated: boolean } {
    const all = [...this.#channels.values()].filter(
      (one) =>
        (publisher === undefined || one.publisher === publisher) &&
        (one.publisher === reader || mayRead(one, reader)),
    );
    return { channels: all.slice(0, mostListed), truncated: all.length > mostListed };
  }

  /** Takes it from the books; null for what the publisher does not publish, or not in that segment. */
  close(publisher: string, channel: string, segment: string): Channel | null {
    const found = this.#channels.get(keyOf(publisher, channel));
    if (found?.segment !== segment) return null;
    this.#channels.delete(keyOf(publisher, channel));
    return found;
  }

  /** A segment is over: with it the channel in it, or the subscriptions whose cursor it was. */
  segmentEnded(segment: string): readonly { readonly channel: Channel; readonly subscriber: string }[] {
    const left: { channel: Channel; subscriber: string }[] = [];
    for (const channel of [...this.#channels.values()]) {
      if (channel.segment === segment) this.close(channel.publisher, channel.channel, segment);
      const subscriber = this.left(channel, segment);
      if (subscriber !== null) left.push({ channel, subscriber });
    }
    return left;
  }

  /** Whose subscription that was; null when nobody's. */
  left(channel: Channel, subscription: string): string | null {
    const subscriber = channel.subscriptions.get(subscription) ?? null;
    channel.subscriptions.delete(subscription);
    return subscriber;
  }

  #of(publisher: string): number {
    return [...this.#channels.values()].filter((one) => one.publisher === publisher).length;
  }
}

export function reads(channel: Channel, container: string): boolean {
  return [...channel.subscriptions.values()].includes(container);
}

function mayRead({ publisher, readers }: Channel, reader: string): boolean {
  return reader !== publisher && (readers === 'any' || readers.includes(reader));
}

/** Tokens have no line breaks. */
function keyOf(publisher: string, channel: string): string {
  return `${publisher}\n${channel}`;
}
