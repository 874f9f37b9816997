// The ledger: one small shared page beside a segment in which its owner keeps the figures of its arena. The
// agent maps it read-only and knows every pool without a message and without stopping anyone.

import { native } from './addon.ts';
import type { Mapping } from './mapping.ts';
import type { LedgerDto } from './native.ts';

/** Layout: alloc/ledger.h. */
export const ledgerBytes = 4096;

export type Ledger = LedgerDto;

/**
 * Null when nobody initialised the page or its magic or version is foreign. The page belongs to another
 * process: figures are clamped to safe integers and may be nonsense, but reading them is always safe.
 */
export function readLedger(mapping: Mapping): Ledger | null {
  return native.ledgerRead(mapping.handle);
}
