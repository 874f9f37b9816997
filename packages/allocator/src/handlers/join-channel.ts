/**
 * `channel.join`: the right is checked, the two segments are granted to each other, and the publisher is asked to admit
 * the subscriber. What it does not admit gets no grant.
 */
import { type Bus, type Endpoint, endpoint, type OutputOf } from '@nautilus/bus';
import { exchanges, fail, NautilusError, ok, type Result } from '@nautilus/contracts';
import type { Agent } from '../agent.ts';
import type { Channel } from '../memory/channels.ts';
import { grant } from './grant.ts';

export type PublisherBus = Pick<Bus, 'request'>;
type Admission = OutputOf<typeof exchanges.admitSubscriber.response>;
type Mode = OutputOf<typeof exchanges.joinChannel.request>['mode'];

interface Joining {
  readonly channel: Channel;
  readonly subscriber: string;
  readonly mode: Mode;
  readonly subscription: string;
  readonly nonce: number | undefined;
}

/** Less than a subscriber waits, so that it hears why. */
const publisherTimeoutMs = 4_000;
/** Joins that wait for one publisher, and joins of one container: who never answers must not take all of this endpoint. */
const mostWaiting = 4;

export function joinChannelEndpoint(agent: Agent, bus: PublisherBus): Endpoint {
  const publishers = new Waiting('wait for container');
  const subscribers = new Waiting('are under way for container');
  return endpoint({
    contract: exchanges.joinChannel,
    host: agent.host,
    party: '*',
    handle: async ({ channel, from, mode, subscription, nonce }, { party }) => {
      const known = agent.accounts.container(party);
      if (!known.ok) return known;
      const found = agent.channels.find(from, channel, party);
      if (!found.ok) return found;
      const joining: Joining = { channel: found.value, subscriber: party, mode, subscription, nonce };
      const join = () => (mode === 'copy' ? admit(agent, bus, joining) : joinInPlace(agent, bus, joining));
      const admitted = await subscribers.run(party, () => publishers.run(found.value.publisher, join));
      if (!admitted.ok) return admitted;
      return ok({ ...admitted.value, segment: found.value.segment, mode });
    },
  });
}

/** Tells the publisher to copy no more. */
export async function dismiss(
  agent: Agent,
  bus: PublisherBus,
  { publisher, channel }: Channel,
  subscriber: string,
  subscription: string,
): Promise<Result<{ subscription: string }>> {
  const body = { channel, subscriber, subscription };
  return asked(bus.request(exchanges.dismissSubscriber, at(agent, publisher), body, options));
}

class Waiting {
  readonly #counts = new Map<string, number>();
  readonly #what: string;

  constructor(what: string) {
    this.#what = what;
  }

  async run<T>(container: string, wait: () => Promise<Result<T>>): Promise<Result<T>> {
    const count = this.#counts.get(container) ?? 0;
    if (count >= mostWaiting)
      return fail('overloaded', `${count} joins ${this.#what} ${container} already, the most; try again`);
    this.#counts.set(container, count + 1);
    try {
      return await wait();
    } finally {
      const left = (this.#counts.get(container) ?? 1) - 1;
      if (left === 0) this.#counts.delete(container);
      else this.#counts.set(container, left);
    }
  }
}

async function joinInPlace(agent: Agent, bus: PublisherBus, joining: Joining): Promise<Result<Admission>> {
  const { channel, subscriber, subscription } = joining;
  const cursor = agent.table.owned(subscription, subscriber);
  if (!cursor.ok) return cursor;
  const payload = agent.table.owned(channel.segment, channel.publisher);
  // The publisher's lease is not the subscriber's business.
  if (!payload.ok) return fail('not_ready', `channel ${channel.channel} is about to end; try again`);
  const wasShown = cursor.value.grants.has(channel.publisher);
  const shown = grant(agent, cursor.value, channel.publisher);
  const admitted = shown.ok ? await admit(agent, bus, joining) : shown;
  // Waiting took time: the subscriber may have died, and the publisher released.
  const hasEnded = [payload.value, cursor.value].some((lease) => lease.state === 'lingering');
  if (hasEnded)
    return fail('already_released', `channel ${channel.channel} or ${subscription} ended meanwhile`);
  const granted = admitted.ok ? grant(agent, payload.value, subscriber) : admitted;
  if (!granted.ok) {
    if (!wasShown && shown.ok) agent.table.revoke(cursor.value, channel.publisher);
    return granted;
  }
  channel.subscriptions.set(subscription, subscriber);
  return admitted;
}

async function admit(agent: Agent, bus: PublisherBus, joining: Joining): Promise<Result<Admission>> {
  const { channel, nonce, ...who } = joining;
  const body = { channel: channel.channel, ...who, ...(nonce === undefined ? {} : { nonce }) };
  return asked(bus.request(exchanges.admitSubscriber, at(agent, channel.publisher), body, options));
}

const options = { timeoutMs: publisherTimeoutMs };

function at(agent: Agent, publisher: string) {
  return { host: agent.host, party: publisher };
}

/** The publisher's answer. One that does not know its own channel is starting or ending, and may know it soon. */
async function asked<T>(asking: Promise<T>): Promise<Result<T>> {
  try {
    return ok(await asking);
  } catch (error) {
    if (!(error instanceof NautilusError)) throw error;
    const { code, message } = error.toFault();
    if (code === 'unknown_channel' || code === 'unavailable' || code === 'timeout')
      return fail('not_ready', `the publisher does not answer for its channel: ${message}`);
    return fail(code, message);
  }
}
