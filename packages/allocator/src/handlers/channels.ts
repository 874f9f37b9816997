/** `channel.open`, `close`, `list` and `leave`: what needs the books alone. Joining asks the publisher and is a file of its own. */
import { type Endpoint, endpoint } from '@nautilus/bus';
import { exchanges, fail, ok } from '@nautilus/contracts';
import type { Agent } from '../agent.ts';
import { type Channel, reads } from '../memory/channels.ts';
import { dismiss, type PublisherBus } from './join-channel.ts';

export function openChannelEndpoint(agent: Agent): Endpoint {
  return endpoint({
    contract: exchanges.openChannel,
    host: agent.host,
    party: '*',
    handle: ({ channel, segment, readers }, { party }) => {
      const owned = agent.table.owned(segment, party);
      if (!owned.ok) return owned;
      // After a restart the segment may still be on its way back.
      if (owned.value.descriptor === null || !owned.value.ownerMapped)
        return fail('not_ready', `${party} has not mapped ${segment} yet; map it, then open the channel`);
      const opened = agent.channels.open({ publisher: party, channel, segment, readers });
      return opened.ok ? ok({ channel, segment }) : opened;
    },
  });
}

export function closeChannelEndpoint(agent: Agent): Endpoint {
  return endpoint({
    contract: exchanges.closeChannel,
    host: agent.host,
    party: '*',
    handle: ({ channel, segment }, { party }) => {
      const closed = agent.channels.close(party, channel, segment);
      if (closed === null)
        return fail('unknown_channel', `${party} publishes no channel ${channel} in ${segment}`);
      return ok({ channel, subscriptions: closed.subscriptions.size });
    },
  });
}

export function listChannelsEndpoint(agent: Agent): Endpoint {
  return endpoint({
    contract: exchanges.listChannels,
    host: agent.host,
    party: '*',
    handle: ({ from }, { party }) => {
      const { channels, truncated } = agent.channels.list(party, from);
      return ok({
        channels: channels.map(({ channel, publisher }) => ({ channel, from: publisher })),
        truncated,
      });
    },
  });
}

export function leaveChannelEndpoint(agent: Agent, bus: PublisherBus): Endpoint {
  return endpoint({
    contract: exchanges.leaveChannel,
    host: agent.host,
    party: '*',
    handle: async ({ channel, from, subscription }, { party }) => {
      const found = agent.channels.find(from, channel, party);
      if (!found.ok) return found;
      // Copies are the publisher's to know.
      if (subscription.startsWith('c-')) return dismiss(agent, bus, found.value, party, subscription);
      // Another's cursor looks like none.
      const cursor = agent.table.owned(subscription, party);
      if (!cursor.ok) return cursor;
      agent.channels.left(found.value, subscription);
      withdraw(agent, found.value, party);
      return ok({ subscription });
    },
  });
}

/** A segment ended for whatever reason: the subscriptions that it stood for have no grant any more. */
export function endSubscriptions(agent: Agent, segment: string): void {
  for (const { channel, subscriber } of agent.channels.segmentEnded(segment))
    withdraw(agent, channel, subscriber);
}

/** Takes the right to the channel back from who reads it with nothing any more. */
function withdraw(agent: Agent, channel: Channel, subscriber: string): void {
  const lease = agent.table.leases.get(channel.segment);
  if (lease === undefined || lease.state === 'lingering' || reads(channel, subscriber)) return;
  // The journal may be full: the grant then outlives the subscription, and ends with the channel.
  if (lease.grants.has(subscriber)) agent.table.revoke(lease, subscriber);
}
