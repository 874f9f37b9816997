/** Channels of one client: what it publishes, what it reads, and what of both is mapped here. */
import { isToken, NautilusError } from '@nautilus/contracts';
import { OwnedSegment } from './owned-segment.ts';
import type { ChannelParts } from './parts.ts';
import type { Publisher } from './publisher.ts';
import { Publishers, type PublishOptions } from './publishers.ts';
import { SharedMapping } from './shared-mapping.ts';
import { type SubscribeOptions, Subscribers } from './subscribers.ts';
import type { Subscription } from './subscription.ts';

export interface ChannelName {
  readonly channel: string;
  /** The container that publishes. */
  readonly from: string;
}

export class Channels {
  readonly #parts: ChannelParts;
  readonly #publishers: Publishers;
  readonly #subscribers: Subscribers;

  constructor(parts: ChannelParts) {
    this.#parts = parts;
    this.#publishers = new Publishers(parts);
    this.#subscribers = new Subscribers(parts);
  }

  async publish<T>(channel: string, options: PublishOptions<T>): Promise<Publisher<T>> {
    assertName(channel);
    if (!this.#parts.sharedMemory)
      throw new NautilusError({
        code: 'unsupported',
        message: `channel "${channel}": a publisher fills frames in shared memory, and this client was connected with sharedMemory: false`,
      });
    return this.#publishers.publish(channel, options);
  }

  async subscribe<T>(channel: string, options: SubscribeOptions<T>): Promise<Subscription<T>> {
    assertName(channel);
    return this.#subscribers.subscribe(channel, options);
  }

  /** What this container may join on its host, its own included. */
  async list(from?: string): Promise<readonly ChannelName[]> {
    return (await this.#parts.control.list(from)).channels;
  }

  /** Segments of channels that are mapped here: own ones and those of others. */
  figures(): { owned: { count: number; bytes: number }; shared: { count: number; bytes: number } } {
    const owned = { count: 0, bytes: 0 };
    const shared = { count: 0, bytes: 0 };
    for (const holding of this.#parts.context.holdings) {
      const sum = holding instanceof OwnedSegment ? owned : holding instanceof SharedMapping ? shared : null;
      if (sum === null) continue;
      sum.count += 1;
      sum.bytes += holding.bytes;
    }
    return { owned, shared };
  }

  /** After agent or NATS came back. Publishers first: without them the agent knows no channel to join. */
  async register(): Promise<void> {
    await this.#publishers.register();
    await this.#subscribers.register();
  }

  async close(): Promise<void> {
    await this.#subscribers.close();
    await this.#publishers.close();
  }
}

function assertName(channel: string): void {
  if (isToken(channel)) return;
  throw new NautilusError({
    code: 'invalid_request',
    message: `channel "${channel}": must be lower-case letters, digits and single "-" (at most 63)`,
  });
}
