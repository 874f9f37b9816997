/** What the agent knows of one segment. The states: leased (nothing mapped), mapped, returning (after a restart), lingering. */
import type { LeaseEndReason } from '@nautilus/contracts';
import type { Descriptor, Mapping } from '@nautilus/native';

export type LeaseState = 'leased' | 'mapped' | 'returning' | 'lingering';

export interface Lease {
  readonly segment: string;
  readonly container: string;
  readonly pool: string;
  readonly bytes: number;
  /** `kept`: the agent holds the memory in a file for a client without a socket. */
  readonly mode: 'mapped' | 'kept';
  readonly leasedAt: number;
  ttlMs: number;
  /** When the lease ends without a sign of life; an open holder is a permanent one. */
  expiresAt: number;
  state: LeaseState;
  /** The owner said that it has mapped the payload; only then is the ledger page its own to touch. */
  ownerMapped: boolean;
  /** Nobody can map it writable any more. */
  sealed: boolean;
  /** Identity of the memory object: what a returned descriptor is compared with. */
  identity: { readonly device: number; readonly inode: number; readonly ledger: number } | null;
  descriptor: Descriptor | null;
  ledger: Mapping | null;
  /** What readers signal to wake the owner. */
  wake: Descriptor | null;
  /** Sessions of the owner that map it. */
  readonly holders: Set<number>;
  /** Containers that may open it for reading. */
  readonly grants: Set<string>;
  /** Sessions that map it for reading, with their container; a revoked one stays until it lets go. */
  readonly readers: Map<number, string>;
  endedBecause: LeaseEndReason | null;
}

export function newLease(
  fields: Pick<Lease, 'segment' | 'container' | 'pool' | 'bytes' | 'mode' | 'leasedAt' | 'ttlMs'>,
): Lease {
  return {
    ...fields,
    expiresAt: fields.leasedAt + fields.ttlMs,
    state: 'leased',
    ownerMapped: false,
    sealed: false,
    identity: null,
    descriptor: null,
    ledger: null,
    wake: null,
    holders: new Set(),
    grants: new Set(),
    readers: new Map(),
    endedBecause: null,
  };
}

/** Nobody maps it, so nothing but the books keeps its bytes. */
export function isUnmapped(lease: Lease): boolean {
  return lease.holders.size === 0 && lease.readers.size === 0;
}

/** Nothing keeps it alive but its time. */
export function isExpired(lease: Lease, now: number): boolean {
  return lease.state === 'leased' && lease.holders.size === 0 && now >= lease.expiresAt;
}
