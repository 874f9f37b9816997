/**
 * The frames on the agent's Unix socket: the capability plane. A frame is one JSON object; descriptors ride on it.
 * Requests carry an `id` that their answer repeats. Nothing here is trusted because of a name: a ticket is good once,
 * a secret proves an earlier lease, and a descriptor is compared with the inode that the journal remembers.
 */
import { z } from 'zod';
import { measuredBytes, segmentId, tokenName } from './values.ts';

const id = z.number().int().nonnegative();
const secret = z.string().min(16).max(128);

/** Container to agent. */
export const socketRequest = z.discriminatedUnion('type', [
  /** Exchange a ticket for descriptors. Answer: `segment`. */
  z.object({ type: z.literal('redeem'), id, container: tokenName, ticket: z.string().min(16).max(128) }),
  /** The owner has mapped the segment: from now on it can be granted. Answer: `done`. */
  z.object({ type: z.literal('mapped'), id, segment: segmentId }),
  /**
   * The owner of a segment attaches what its readers signal to wake it: one descriptor, which can do nothing else and
   * rides on the frame. Answer: `done`.
   */
  z.object({ type: z.literal('attach-wake'), id, segment: segmentId }),
  /** A reader has unmapped a segment. Answer: `done`. */
  z.object({ type: z.literal('closed'), id, segment: segmentId }),
  /**
   * After the agent restarted the owner hands its descriptors back: payload and ledger ride on the frame,
   * behind them its wake descriptor when it had attached one. A reader that still maps a segment says so with `access: read-only` and its payload descriptor. Answer: `returned`.
   */
  z.object({
    type: z.literal('return'),
    id,
    container: tokenName,
    segment: segmentId,
    access: z.enum(['read-write', 'read-only']),
    secret,
  }),
]);
export type SocketRequest = z.infer<typeof socketRequest>;

const fault = z.object({
  code: z.string(),
  message: z.string(),
  details: z.record(z.string(), z.unknown()).optional(),
});

/** Agent to container. */
export const socketReply = z.discriminatedUnion('type', [
  /** Payload descriptor; for `read-write` the ledger's follows it, for `wake` the one that wakes the owner. */
  z.object({
    type: z.literal('segment'),
    id,
    segment: segmentId,
    pool: z.string(),
    owner: z.string(),
    access: z.enum(['read-write', 'read-only']),
    strategy: z.string(),
    bytes: measuredBytes,
    alignmentBytes: measuredBytes,
    /** Only for a reader, and only when the owner has attached one. */
    wake: z.boolean().optional(),
    secret,
  }),
  z.object({ type: z.literal('done'), id }),
  z.object({ type: z.literal('returned'), id, segment: segmentId, expiresAt: z.number().nullable() }),
  z.object({ type: z.literal('error'), id: id.nullable(), fault }),
  /** Unasked: the lease or the grant is over; unmap and answer with `closed`. */
  z.object({ type: z.literal('ended'), segment: segmentId, reason: z.string() }),
]);
export type SocketReply = z.infer<typeof socketReply>;

/** Larger frames close the connection. */
export const maximumFrameBytes = 16 * 1024;
