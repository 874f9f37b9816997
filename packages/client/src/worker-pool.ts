/**
 * A pool as a worker thread sees it: the segments that the main thread leased, mapped once more by this thread, with
 * magazines of its own. It leases nothing: when nothing fits, the main thread reserves and shares again.
 */
import { NautilusError } from '@nautilus/contracts';
import { type Arena, attachArena, Descriptor, type Mapping, mapSegment } from '@nautilus/native';
import { alreadyClosed, translated } from './faults.ts';
import type { SharedSegment } from './held-segment.ts';
import { checkAlignment, checkBytes } from './sizing.ts';

/** Plain data: a message to a worker thread may carry it. */
export interface SharedPool {
  readonly pool: string;
  readonly segments: readonly SharedSegment[];
}

/** A block, by what every thread of the process knows it. */
export interface BlockName {
  readonly segment: string;
  readonly handle: number;
}

export interface WorkerBlock extends BlockName {
  /** Bytes from the start of the segment. */
  readonly offset: number;
  /** Bytes that were asked for. */
  readonly length: number;
}

interface Attached {
  readonly segment: string;
  readonly arena: Arena;
  readonly payload: Mapping;
  readonly ledger: Mapping;
}

/** In the worker, with what `pool.share()` said in the main thread. */
export function attachPool(shared: SharedPool): WorkerPool {
  return new WorkerPool(shared);
}

export class WorkerPool implements Disposable {
  readonly name: string;
  readonly #segments = new Map<string, Attached>();
  /** Where the last block was placed: the next one most often fits there too. */
  #recent = '';
  #isClosed = false;

  constructor(shared: SharedPool) {
    this.name = shared.pool;
    this.extend(shared);
  }

  /** Takes in segments that were leased since, and lets go of those that the pool has no more. */
  extend(shared: SharedPool): void {
    this.#assertOpen();
    const present = new Set(shared.segments.map(({ segment }) => segment));
    for (const [segment, attached] of this.#segments) {
      if (present.has(segment)) continue;
      this.#segments.delete(segment);
      detach(attached);
    }
    for (const segment of shared.segments) {
      if (!this.#segments.has(segment.segment)) this.#segments.set(segment.segment, attach(segment));
    }
  }

  /** Null when none of the attached segments has room. */
  tryAllocate(bytes: number, alignment?: number): WorkerBlock | null {
    this.#assertOpen();
    checkBytes('bytes', bytes);
    checkAlignment(alignment);
    const recent = this.#segments.get(this.#recent);
    const block = recent === undefined ? null : allocateIn(recent, bytes, alignment);
    if (block !== null) return block;
    for (const attached of this.#segments.values()) {
      const other = attached === recent ? null : allocateIn(attached, bytes, alignment);
      if (other === null) continue;
      this.#recent = attached.segment;
      return other;
    }
    return null;
  }

  /** A block that another thread sent. */
  find(name: BlockName): WorkerBlock {
    const { arena } = this.#attached(name);
    return translated(`segment ${name.segment}`, () => ({
      segment: name.segment,
      handle: name.handle,
      offset: arena.offsetOf(name.handle),
      length: arena.lengthOf(name.handle),
    }));
  }

  /** The bytes in place, valid until the block is freed by whichever thread. */
  view(name: BlockName): Uint8Array {
    const { payload } = this.#attached(name);
    const { offset, length } = this.find(name);
    return payload.view(offset, length);
  }

  /** Whoever allocated it. Twice is an error: `unknown_block`. */
  free(name: BlockName): void {
    const { arena } = this.#attached(name);
    translated('free', () => arena.free(name.handle));
  }

  /** Blocks of this thread stay with the pool of the main thread. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const attached of this.#segments.values()) detach(attached);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #attached(name: BlockName): Attached {
    this.#assertOpen();
    const found = this.#segments.get(name.segment);
    if (found !== undefined) return found;
    throw new NautilusError({
      code: 'unknown_segment',
      message: `segment ${name.segment} is not attached to this thread's pool "${this.name}"; share the pool again`,
    });
  }

  #assertOpen(): void {
    if (this.#isClosed) throw alreadyClosed(`pool "${this.name}" of this thread`);
  }
}

function allocateIn(
  { segment, arena }: Attached,
  bytes: number,
  alignment: number | undefined,
): WorkerBlock | null {
  const handle = translated('allocate', () => arena.allocate(bytes, alignment));
  return handle === null ? null : { segment, handle, offset: arena.offsetOf(handle), length: bytes };
}

function detach({ arena, payload, ledger }: Attached): void {
  for (const part of [arena, payload, ledger]) part.close();
}

function attach(shared: SharedSegment): Attached {
  return translated(`attaching segment ${shared.segment}`, () => {
    const opened: { close(): void }[] = [];
    try {
      const payload = mapShared(shared.payloadFd);
      opened.push(payload);
      const ledger = mapShared(shared.ledgerFd);
      opened.push(ledger);
      return { segment: shared.segment, payload, ledger, arena: attachArena(shared.arena, ledger) };
    } catch (error) {
      for (const part of opened.reverse()) part.close();
      throw error;
    }
  });
}

/** The descriptor is the main thread's; a mapping needs it for a moment only. */
function mapShared(fd: number): Mapping {
  using own = Descriptor.duplicate(fd);
  return mapSegment(own, { access: 'read-write' });
}
