/** Figures from the ledgers of owners. A ledger is another process's page: nothing in it is believed beyond reason. */
import { readLedger } from '@nautilus/native';
import type { Lease } from './lease.ts';

/** The most allocations that one ledger is believed: a year at a million a second. */
const believableAllocations = 2 ** 45;

/** Null while the owner has not said that it mapped the segment: its page is then its own to touch first. */
export function liveBytesOf(lease: Lease): number | null {
  if (lease.ledger === null || !lease.ownerMapped) return null;
  const ledger = readLedger(lease.ledger);
  return ledger === null ? null : Math.min(ledger.liveBytes, lease.bytes);
}

export function allocationsOf(lease: Lease): number {
  if (lease.ledger === null || !lease.ownerMapped) return 0;
  return Math.min(readLedger(lease.ledger)?.allocations ?? 0, believableAllocations);
}

/** Sums of figures that strangers wrote stay numbers that a message can carry. */
export function saturated(sum: number): number {
  return Math.min(sum, Number.MAX_SAFE_INTEGER);
}
