// The figures of an arena, read from its ledger in JavaScript: no native call, no lock. Each counter is one word of
// memory; together they are not a snapshot of one instant.

import * as layout from './ledger-layout.ts';

export interface Figures {
  readonly liveBlocks: number;
  /** Rooms of live blocks, rounding included. */
  readonly liveBytes: number;
  /** Rooms that wait in magazines: neither live nor free. */
  readonly cachedBytes: number;
  readonly highWaterBytes: number;
  readonly allocations: number;
  readonly frees: number;
  /** Allocations for which nothing fitted. */
  readonly failures: number;
}

/** `words` and `counters` are over the same ledger. */
export function readFigures(words: Int32Array, counters: Float64Array): Figures {
  const wide = (at: number) =>
    ((words[at] as number) >>> 0) + ((words[at + 1] as number) >>> 0) * layout.twoTo32;
  const first = layout.attachmentsAt;
  const end = first + (words[layout.header.attachmentsUsed] as number) * layout.doublesPerAttachment;
  // Frees before allocations, and the header's at both ends: whatever other threads do meanwhile, more blocks seem to
  // live than do, and never fewer.
  let frees = wide(layout.header.frees);
  for (let at = first; at < end; at += layout.doublesPerAttachment)
    frees += counters[at + layout.attachment.frees] as number;
  let allocations = 0;
  let cachedBytes = 0;
  for (let at = first; at < end; at += layout.doublesPerAttachment) {
    allocations += counters[at + layout.attachment.allocations] as number;
    cachedBytes += counters[at + layout.attachment.cachedBytes] as number;
  }
  allocations += wide(layout.header.allocations);
  const takenBytes = wide(layout.header.takenBytes);
  return {
    liveBlocks: allocations - frees,
    liveBytes: Math.max(0, takenBytes - cachedBytes),
    cachedBytes,
    highWaterBytes: wide(layout.header.highWaterBytes),
    allocations,
    frees,
    failures: wide(layout.header.failures),
  };
}

/** What a ledger says of the arena it belongs to. */
export function shapeOf(words: Int32Array): { readonly bytes: number; readonly minimumAlignment: number } {
  const low = (words[layout.header.segmentBytes] as number) >>> 0;
  const high = (words[layout.header.segmentBytes + 1] as number) >>> 0;
  return {
    bytes: low + high * layout.twoTo32,
    minimumAlignment: 2 ** (words[layout.header.granuleLog2] as number),
  };
}
