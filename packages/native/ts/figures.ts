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
  let allocations = wide(layout.header.allocations);
  let frees = wide(layout.header.frees);
  let cachedBytes = 0;
  const end =
    layout.attachmentsAt + (words[layout.header.attachmentsUsed] as number) * layout.doublesPerAttachment;
  for (let at = layout.attachmentsAt; at < end; at += layout.doublesPerAttachment) {
    allocations += counters[at + layout.attachment.allocations] as number;
    frees += counters[at + layout.attachment.frees] as number;
    cachedBytes += counters[at + layout.attachment.cachedBytes] as number;
  }
  return {
    liveBlocks: allocations - frees,
    liveBytes: wide(layout.header.takenBytes) - cachedBytes,
    cachedBytes,
    highWaterBytes: wide(layout.header.highWaterBytes),
    allocations,
    frees,
    failures: wide(layout.header.failures),
  };
}
