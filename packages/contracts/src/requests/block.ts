/** For clients that speak NATS and nothing else: the agent keeps a pool for them and answers with places. */
import { z } from 'zod';
import { exchange } from '../subject.ts';
import { blockId, measuredBytes, segmentId, sizeBytes, tokenName } from '../values.ts';

const request = { class: 'req', party: '*', noun: 'block' } as const;

export const blockPlace = z.object({
  block: blockId,
  segment: segmentId,
  offset: measuredBytes,
  length: measuredBytes,
});
export type BlockPlace = z.infer<typeof blockPlace>;

export const allocateBlock = exchange({
  ...request,
  verb: 'allocate',
  summary:
    'A block in a segment that the agent keeps for the asking container. Zeroed when it changes hands.',
  request: z.object({
    pool: tokenName,
    bytes: sizeBytes,
    alignmentBytes: z.number().int().min(1).max(65_536).optional(),
  }),
  response: blockPlace,
});

export const freeBlock = exchange({
  ...request,
  verb: 'free',
  summary: 'Gives a kept block back. A kept segment without blocks is released.',
  request: z.object({ block: blockId }),
  response: z.object({ block: blockId, freedBytes: measuredBytes }),
});

export const describeBlocks = exchange({
  ...request,
  verb: 'describe',
  summary: 'Where the kept blocks of the asking container are, at most 1000 from `after` on.',
  request: z.object({ after: blockId.optional() }),
  response: z.object({ blocks: z.array(blockPlace), truncated: z.boolean() }),
});
