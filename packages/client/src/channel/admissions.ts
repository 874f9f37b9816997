/**
 * The agent's commands to the publishers of this client: let a subscriber in, or stop copying to one. In place that
 * means to map its cursor, and to give its place to others when the agent says that the cursor is over.
 */
import { type Endpoint, endpoint, type OutputOf, type ServedService } from '@nautilus/bus';
import {
  admitSubscriber,
  type ChannelReaders,
  dismissSubscriber,
  fail,
  ok,
  type Result,
} from '@nautilus/contracts';
import { pause } from '../cancellation.ts';
import { toNautilusError } from '../faults.ts';
import type { ChannelParts } from './parts.ts';
import { mayHavePlace } from './places.ts';
import type { Admitted, Publisher } from './publisher.ts';
import { closeShared, openShared, type SharedMapping } from './shared-mapping.ts';

export interface Admitting {
  readonly readers: ChannelReaders;
  /** By cursor segment: who has the place, or is about to. */
  readonly holders: Map<string, string>;
  readonly publisher: Pick<
    Publisher,
    | 'closed'
    | 'endReason'
    | 'maximumSubscribers'
    | 'nextSequence'
    | 'admit'
    | 'admitCopy'
    | 'dismissCopy'
    | 'remove'
    | 'close'
  >;
  /** By cursor segment: the answer, for who asks again, and the mapping behind it. */
  readonly cursors: Map<string, Promise<Result<Admitted>>>;
  readonly mappings: Map<string, SharedMapping>;
}

type AdmitBody = OutputOf<(typeof admitSubscriber)['request']>;

/** Another client in the container's name may have the channel: it answers at once, so this one answers later. */
const foreignAnswerMs = 1_000;

export class Admissions {
  readonly #parts: ChannelParts;
  readonly #find: (channel: string) => Admitting | undefined;
  readonly #closing: AbortSignal;
  #serving: Promise<ServedService> | null = null;

  constructor(parts: ChannelParts, find: (channel: string) => Admitting | undefined, closing: AbortSignal) {
    this.#parts = parts;
    this.#find = find;
    this.#closing = closing;
  }

  /** From the first channel on; a refusal is the caller's, and may be none the next time. */
  async serve(): Promise<void> {
    const { bus, container } = this.#parts;
    this.#serving ??= bus.serve({
      name: `channels-${container}`,
      version: '0.1.0',
      description: 'Lets subscribers into the channels of a container.',
      discoverable: false,
      endpoints: this.#endpoints(),
    });
    try {
      await this.#serving;
    } catch (error) {
      this.#serving = null;
      throw error;
    }
  }

  async close(): Promise<void> {
    await (await this.#serving)?.drain();
  }

  #endpoints(): Endpoint[] {
    const { host, container } = this.#parts;
    const own = { host, party: container, queueGroup: null };
    return [
      endpoint({ contract: admitSubscriber, ...own, handle: (body) => this.#admit(body) }),
      endpoint({
        contract: dismissSubscriber,
        ...own,
        handle: async ({ channel, subscriber, subscription }) => {
          const entry = this.#find(channel);
          if (entry === undefined) return this.#foreign(channel);
          entry.publisher.dismissCopy(subscriber, subscription);
          return ok({ subscription });
        },
      }),
    ];
  }

  async #admit(body: AdmitBody): Promise<Result<Admitted>> {
    const entry = this.#find(body.channel);
    if (entry === undefined) return this.#foreign(body.channel);
    const { subscriber, subscription, mode } = body;
    if (mode === 'copy') return entry.publisher.admitCopy(subscriber, subscription);
    const known = entry.cursors.get(subscription);
    if (known !== undefined) return known;
    const may = mayHavePlace(
      {
        channel: body.channel,
        readers: entry.readers,
        maximum: entry.publisher.maximumSubscribers,
        holders: [...entry.holders.values()],
      },
      subscriber,
    );
    if (!may.ok) return may;
    entry.holders.set(subscription, subscriber);
    const admitting = this.#admitInPlace(entry, body).catch((error: unknown): Result<Admitted> => {
      const { code, message } = toNautilusError(error, `admitting ${subscriber} to ${body.channel}`);
      return fail(code, message);
    });
    entry.cursors.set(subscription, admitting);
    const admitted = await admitting;
    if (!admitted.ok) {
      entry.cursors.delete(subscription);
      entry.holders.delete(subscription);
    }
    return admitted;
  }

  async #admitInPlace(entry: Admitting, body: AdmitBody): Promise<Result<Admitted>> {
    const { context } = this.#parts;
    const { subscriber, subscription, nonce } = body;
    if (nonce === undefined)
      return fail('invalid_request', `nonce: ${subscriber} subscribes in place and gave none`);
    const mapping = await openShared(context, subscription, subscriber, this.#closing);
    const admitted = entry.publisher.admit(nonce, mapping);
    if (!admitted.ok) {
      await closeShared(context, mapping);
      return admitted;
    }
    const { slot } = admitted.value;
    entry.mappings.set(subscription, mapping);
    mapping.onEnd(() => {
      if (slot !== null) entry.publisher.remove(slot);
      entry.mappings.delete(subscription);
      entry.cursors.delete(subscription);
      entry.holders.delete(subscription);
      closeShared(context, mapping).catch((error: unknown) =>
        context.log.error({ subscription, error }, 'client: a cursor could not be unmapped'),
      );
    });
    return admitted;
  }

  async #foreign(channel: string) {
    const doing = `answering for channel ${channel}`;
    // A closing client answers at once.
    await pause(foreignAnswerMs, doing, this.#closing, 'background').catch(() => undefined);
    return fail('unknown_channel', `no channel ${channel} is published here`);
  }
}
