/** What the fake agent remembers of a segment, and how it makes one: real memory with a ledger beside it. */
import { createSegment, type Descriptor, inspectDescriptor, ledgerBytesFor } from '@nautilus/native';

export interface FakeSegment {
  readonly segment: string;
  readonly pool: string;
  readonly owner: string;
  readonly bytes: number;
  readonly secret: string;
  readonly inode: number;
  /** Null while nobody has brought it back after a restart. */
  payload: Descriptor | null;
  ledger: Descriptor | null;
  isMapped: boolean;
  readonly grants: Set<string>;
  readonly readers: Set<string>;
}

export function createFakeSegment(of: {
  segment: string;
  pool: string;
  owner: string;
  bytes: number;
  alignmentBytes: number;
}): FakeSegment {
  const payload = createSegment({ name: of.segment, bytes: of.bytes });
  const ledger = createSegment({
    name: `${of.segment}-ledger`,
    bytes: ledgerBytesFor(of.bytes, of.alignmentBytes),
  });
  return {
    segment: of.segment,
    pool: of.pool,
    owner: of.owner,
    bytes: of.bytes,
    secret: `secret-of-${of.segment}`,
    inode: inspectDescriptor(payload).inode,
    payload,
    ledger,
    isMapped: false,
    grants: new Set(),
    readers: new Set(),
  };
}

/** As a dying process does. */
export function closeDescriptors(segment: FakeSegment): void {
  segment.payload?.close();
  segment.ledger?.close();
  segment.payload = null;
  segment.ledger = null;
}
