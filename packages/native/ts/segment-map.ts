// What lies where in a segment, drawn from its ledger alone: whoever may read the ledger sees it, while the owner
// allocates and after it died.

import { native } from './addon.ts';
import { invalidArgument } from './errors.ts';
import type { Mapping } from './mapping.ts';

export interface MappedBlock {
  readonly offset: number;
  /** The bytes that were asked for. */
  readonly length: number;
  /** The bytes that it takes, rounding included. */
  readonly room: number;
  readonly handle: number;
  readonly pins: number;
}

export interface SegmentMap {
  readonly segmentBytes: number;
  /** The unit in which blocks are cut. */
  readonly granule: number;
  readonly liveBlocks: number;
  /** Rooms of live blocks, rounding included. */
  readonly liveBytes: number;
  /** The same without rounding. */
  readonly requestedBytes: number;
  /** Under no live block: rooms that wait in slabs and magazines are free here. */
  readonly freeBytes: number;
  readonly largestFreeBytes: number;
  /** Share of the segment that is free. */
  readonly fragmentation: number;
  /** Share of what is free that lies outside the largest range. */
  readonly freeShareOutsideLargest: number;
  /** Blocks that begin inside one before them: a room that changed hands meanwhile, or an owner that wrote nonsense. */
  readonly overlaps: number;
  /** By rising offset. */
  readonly blocks: readonly MappedBlock[];
  /** Beyond `mostEntries`. */
  readonly blocksLeftOut: number;
  /** By rising offset. */
  readonly free: readonly { readonly offset: number; readonly bytes: number }[];
  readonly freeLeftOut: number;
}

export interface SegmentMapOptions {
  /** Blocks to list at most, and free ranges as well, default and limit 2^20; totals count them all. */
  mostEntries?: number;
}

// The longest text of so many entries still fits a string of the engine.
const mostEntriesAllowed = 2 ** 20;

/**
 * Null when nobody initialised the ledger or its magic or version is foreign. Each block is true by itself, but not all
 * are of one instant while the owner runs; what a hostile owner wrote there may be nonsense, but is safe to read.
 */
export function readSegmentMap(ledger: Mapping, options: SegmentMapOptions = {}): SegmentMap | null {
  const { mostEntries = mostEntriesAllowed } = options;
  if (!Number.isInteger(mostEntries) || mostEntries < 0 || mostEntries > mostEntriesAllowed) {
    throw invalidArgument('mostEntries', `a whole number from 0 to ${mostEntriesAllowed}`, mostEntries);
  }
  const json = native.ledgerMap(ledger.handle, mostEntries);
  if (json === null) return null;
  const map: SegmentMap = JSON.parse(json);
  // The text leaves out a room that is as long as its block.
  for (const block of map.blocks as Iterable<{ length: number; room?: number }>) block.room ??= block.length;
  return map;
}
