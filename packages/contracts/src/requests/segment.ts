/** What a container asks of its host's agent about segments. The container is the party of the subject, never a field. */
import { z } from 'zod';
import { regionDevice } from '../state/sample.ts';
import { exchange } from '../subject.ts';
import { instantMs, measuredBytes, segmentId, sizeBytes, tokenName } from '../values.ts';

const request = { class: 'req', party: '*', noun: 'segment' } as const;

/** One exchange of a ticket for a descriptor on the agent's socket. */
const ticket = z.object({
  ticket: z.string(),
  ticketExpiresAt: instantMs,
  socketPath: z.string(),
});

export const leaseMode = z.enum(['mapped', 'kept']);

export const leaseSegment = exchange({
  ...request,
  verb: 'lease',
  summary:
    'A segment of a pool, for the asking container alone. Answers with a one-time ticket for the socket.',
  request: z.object({
    pool: tokenName,
    bytes: sizeBytes,
    /** True: `bytes` is the least; the pool's usual segment is leased when that is larger and every budget has room. */
    usual: z.boolean().optional(),
    /** How long the lease lives without a sign of life: an open holder socket or an extend. */
    ttlMs: z.number().int().min(100).max(86_400_000).optional(),
  }),
  response: ticket.extend({
    segment: segmentId,
    pool: z.string(),
    region: z.string(),
    strategy: z.string(),
    bytes: measuredBytes,
    alignmentBytes: measuredBytes,
    expiresAt: instantMs,
    /** The device that works for the region now, and why it is not the one that was wanted. */
    device: regionDevice.optional(),
  }),
});

export const extendLease = exchange({
  ...request,
  verb: 'extend',
  summary: 'A sign of life: the lease lives for its time to live from now.',
  request: z.object({ segment: segmentId, ttlMs: z.number().int().min(100).max(86_400_000).optional() }),
  response: z.object({ segment: segmentId, expiresAt: instantMs }),
});

export const releaseSegment = exchange({
  ...request,
  verb: 'release',
  summary: 'Ends the lease. Bytes that readers still map stay counted as lingering until they let go.',
  request: z.object({ segment: segmentId }),
  response: z.object({ segment: segmentId, releasedBytes: measuredBytes, lingeringBytes: measuredBytes }),
});

export const grantSegment = exchange({
  ...request,
  verb: 'grant',
  summary:
    'Lets another container map the segment read-only. From the first grant on nobody can map it writable anew.',
  request: z.object({ segment: segmentId, to: tokenName }),
  response: z.object({
    segment: segmentId,
    to: z.string(),
    /** False where the platform has no such seal; `reason` says why. */
    writesSealed: z.boolean(),
    reason: z.string().nullable(),
  }),
});

export const revokeGrant = exchange({
  ...request,
  verb: 'revoke',
  summary:
    'Takes a grant back. A reader that mapped the segment is told to let go; its mapping cannot be torn away.',
  request: z.object({ segment: segmentId, from: tokenName }),
  response: z.object({ segment: segmentId, from: z.string(), stillMapped: z.boolean() }),
});

export const openSegment = exchange({
  ...request,
  verb: 'open',
  summary:
    'A fresh ticket for a segment that the asking container leases (read-write) or was granted (read-only).',
  request: z.object({ segment: segmentId }),
  response: ticket.extend({
    segment: segmentId,
    pool: z.string(),
    owner: z.string(),
    access: z.enum(['read-write', 'read-only']),
    bytes: measuredBytes,
  }),
});

export const segmentDescription = z.object({
  segment: segmentId,
  pool: z.string(),
  region: z.string(),
  owner: z.string(),
  access: z.enum(['read-write', 'read-only']),
  mode: leaseMode,
  state: z.enum(['leased', 'mapped', 'returning', 'lingering']),
  bytes: measuredBytes,
  liveBytes: measuredBytes.nullable(),
  leasedAt: instantMs,
  expiresAt: instantMs.nullable(),
  grants: z.array(z.string()),
});
export type SegmentDescription = z.infer<typeof segmentDescription>;

export const describeSegments = exchange({
  ...request,
  verb: 'describe',
  summary: "The asking container's budget, its segments and the segments it was granted.",
  request: z.object({ segment: segmentId.optional() }),
  response: z.object({
    container: z.string(),
    budgetBytes: measuredBytes,
    leasedBytes: measuredBytes,
    segments: z.array(segmentDescription),
    /** True when there are more than fit one answer; ask for one by id. */
    truncated: z.boolean(),
  }),
});
