/** What an operator sees of segments: which there are on a host, and what lies where in one. Bounded, and paged. */
import { z } from 'zod';
import { exchange } from '../subject.ts';
import { measuredBytes, segmentId, tokenName } from '../values.ts';
import { segmentDescription } from './segment.ts';

const command = { class: 'cmd', party: 'agent', noun: 'segment' } as const;

/** Blocks of one answer at most: with them it stays far below what a message may have. */
export const mostMappedBlocks = 2_000;
/** Blocks of one segment that the agent reads at most for a question, which takes it some ten milliseconds. */
export const mostReadBlocks = 65_536;

export const listSegments = exchange({
  ...command,
  verb: 'list',
  summary: 'The segments of a host, of one pool or container when it is named, at most 500 from `after` on.',
  request: z.object({
    pool: tokenName.optional(),
    container: tokenName.optional(),
    after: segmentId.optional(),
  }),
  response: z.object({ segments: z.array(segmentDescription), truncated: z.boolean() }),
});

/** One live block, as a ledger says. */
export const mappedBlock = z.object({
  offset: measuredBytes,
  /** The bytes that were asked for. */
  length: measuredBytes,
  /** The bytes that it takes, rounding included. */
  room: measuredBytes,
  pins: measuredBytes,
});

export const mapSegment = exchange({
  ...command,
  verb: 'map',
  summary:
    'What lies where in a segment, from its ledger: totals, how full each of so many equal cells is, and blocks from an offset on.',
  request: z.object({
    segment: segmentId,
    /** 0: none. */
    cells: z.number().int().min(0).max(4_096).default(0),
    /** Blocks to list at most; 0 lists none. */
    most: z.number().int().min(0).max(mostMappedBlocks).default(0),
    /** Blocks from this offset on. */
    from: measuredBytes.default(0),
  }),
  response: z.object({
    segment: segmentDescription,
    /** The unit in which blocks are cut. */
    granuleBytes: measuredBytes,
    liveBlocks: measuredBytes,
    liveBytes: measuredBytes,
    requestedBytes: measuredBytes,
    freeBytes: measuredBytes,
    largestFreeBytes: measuredBytes,
    /** Share of what is free that lies outside the largest range. */
    freeShareOutsideLargest: z.number(),
    /** Blocks that were not read, because there are too many; cells and blocks lack them. */
    blocksLeftOut: measuredBytes,
    /** Live bytes of each cell; the last cell may be shorter. */
    cells: z.array(measuredBytes),
    cellBytes: measuredBytes,
    blocks: z.array(mappedBlock),
    /** Where the next page begins; null: there is none. */
    next: measuredBytes.nullable(),
  }),
});
export type SegmentMapAnswer = z.output<(typeof mapSegment)['response']>;
