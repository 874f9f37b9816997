// The ledger: shared memory beside a segment in which its owner keeps the names, places and figures of its blocks.
// The agent maps it read-only and knows every pool without a message and without stopping anyone.

import { native } from './addon.ts';
import { checkAlignment, checkBytes } from './check.ts';
import type { Mapping } from './mapping.ts';
import type { LedgerDto } from './native.ts';

/** Its first page, which holds the figures. */
export const ledgerHeaderBytes = 4096;

/** Bytes of address space that a ledger needs; memory is used for as many slots (32 bytes) as blocks ever lived at once. */
export function ledgerBytesFor(segmentBytes: number, minimumAlignment: number): number {
  return native.ledgerBytesFor(
    checkBytes('segmentBytes', segmentBytes),
    checkAlignment('minimumAlignment', minimumAlignment),
  );
}

export type Ledger = LedgerDto;

/**
 * Null when nobody initialised the ledger or its magic or version is foreign. It belongs to another process: figures
 * are clamped to safe integers and may be nonsense, but reading them is always safe.
 */
export function readLedger(mapping: Mapping): Ledger | null {
  return native.ledgerRead(mapping.handle);
}
