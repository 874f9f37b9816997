/**
 * Channels: who may read what another container publishes in place. The agent checks the right and grants the segments
 * both ways; the frames themselves are in shared memory, or on the subjects of class `data` for who cannot map it.
 */
import { z } from 'zod';
import { exchange } from '../subject.ts';
import { segmentId, tokenName } from '../values.ts';

const request = { class: 'req', party: '*', noun: 'channel' } as const;
const command = { class: 'cmd', party: '*', noun: 'channel' } as const;

/** `any`: every container that the publisher's host knows. */
export const channelReaders = z.union([z.literal('any'), z.array(tokenName).max(256)]);
export type ChannelReaders = z.infer<typeof channelReaders>;

/** `copy`: the frames come over NATS, because the subscriber cannot map them. */
export const channelMode = z.enum(['in-place', 'copy']);
export type ChannelMode = z.infer<typeof channelMode>;

/** In place it is the id of the subscriber's cursor segment; as a copy a random one of its own. */
export const subscriptionId = z
  .string()
  .regex(/^[sc]-[0-9a-z]{8,32}$/, 'must be the cursor segment, s-…, or the id of a copied one, c-…');

/** Stands in the cursor segment, so that the publisher admits that one and no older one. */
const nonce = z
  .number()
  .int()
  .min(1)
  .max(2 ** 31 - 1);

/** The longest that a channel can have. A subscriber reserves memory for one on the publisher's word. */
export const mostFrameBytes = 2 ** 30;

/** Where a subscriber begins. A copied one has no slot. */
const admission = z.object({
  slot: z.number().int().nonnegative().nullable(),
  /** 32 bits, wrapping. */
  startSequence: z
    .number()
    .int()
    .min(-(2 ** 31))
    .max(2 ** 32 - 1),
  frameBytes: z.number().int().nonnegative().max(mostFrameBytes),
});

export const openChannel = exchange({
  ...request,
  verb: 'open',
  summary:
    'Announces a channel in a segment that the asking container leases and has mapped. The same segment again is the same channel.',
  request: z.object({ channel: tokenName, segment: segmentId, readers: channelReaders }),
  response: z.object({ channel: z.string(), segment: segmentId }),
});

export const joinChannel = exchange({
  ...request,
  verb: 'join',
  summary:
    'Makes the asking container a subscriber, and grants the two segments to each other. A channel that it may not read looks like none. Asked again it is a sign of life, which a copied subscription needs.',
  request: z.object({
    channel: tokenName,
    from: tokenName,
    mode: channelMode,
    subscription: subscriptionId,
    /** In place only. */
    nonce: nonce.optional(),
  }),
  response: admission.extend({ segment: segmentId, mode: channelMode }),
});

export const leaveChannel = exchange({
  ...request,
  verb: 'leave',
  summary: 'Ends one subscription of the asking container, and with its last one the grant of the channel.',
  request: z.object({ channel: tokenName, from: tokenName, subscription: subscriptionId }),
  response: z.object({ subscription: subscriptionId }),
});

export const closeChannel = exchange({
  ...request,
  verb: 'close',
  summary: 'Nobody joins from now on. Who has joined reads on until the segment is released.',
  request: z.object({ channel: tokenName, segment: segmentId }),
  response: z.object({ channel: z.string(), subscriptions: z.number().int() }),
});

export const listChannels = exchange({
  ...request,
  verb: 'list',
  summary: 'The channels of this host that the asking container may join, its own included.',
  request: z.object({ from: tokenName.optional() }),
  response: z.object({
    channels: z.array(z.object({ channel: z.string(), from: z.string() })),
    /** True when there are more than fit one answer; ask for those of one publisher. */
    truncated: z.boolean(),
  }),
});

export const admitSubscriber = exchange({
  ...command,
  verb: 'admit',
  summary:
    'Tells a publisher of a subscriber that the agent has checked. In place it maps the cursor segment; asked again it answers the same.',
  request: z.object({
    channel: tokenName,
    subscriber: tokenName,
    mode: channelMode,
    subscription: subscriptionId,
    nonce: nonce.optional(),
  }),
  response: admission,
});

export const dismissSubscriber = exchange({
  ...command,
  verb: 'dismiss',
  summary: 'Tells a publisher that a copied subscription is over. One in place ends with its cursor segment.',
  request: z.object({ channel: tokenName, subscriber: tokenName, subscription: subscriptionId }),
  response: z.object({ subscription: subscriptionId }),
});
