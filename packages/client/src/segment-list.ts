/**
 * The segments of one pool, oldest first, and where the next block goes. A stack pool fills them in order and never
 * goes back below its newest block, so that a mark in one segment stands for all that came after it.
 */
import { NautilusError } from '@nautilus/contracts';
import type { HeldSegment } from './held-segment.ts';
import type { StackMark } from './stack-mark.ts';

export interface Place {
  readonly segment: HeldSegment;
  readonly handle: number;
}

interface Entry {
  readonly segment: HeldSegment;
  /** Grows in a pool's life and is never used again. */
  readonly place: number;
}

export class SegmentList {
  readonly #pool: string;
  #entries: Entry[] = [];
  #nextPlace = 0;
  /** Where the last block was placed: the next one most often fits there too. */
  #recent: HeldSegment | null = null;

  constructor(pool: string) {
    this.#pool = pool;
  }

  /** Those that give blocks. */
  get leased(): readonly HeldSegment[] {
    return this.mapped.filter(isLeased);
  }

  /** Those that are mapped, lost ones included. */
  get mapped(): readonly HeldSegment[] {
    return this.#entries.map((entry) => entry.segment);
  }

  add(segment: HeldSegment): void {
    this.#entries.push({ segment, place: this.#nextPlace });
    this.#nextPlace += 1;
  }

  remove(segment: HeldSegment): void {
    this.#entries = this.#entries.filter((entry) => entry.segment !== segment);
    if (this.#recent === segment) this.#recent = null;
  }

  /** A leased segment without blocks, the newest first: a stack is emptied from its end. */
  findEmpty(): HeldSegment | null {
    const isEmpty = (segment: HeldSegment) => !segment.isAttached && segment.liveBlocks === 0;
    return this.mapped.findLast((segment) => isLeased(segment) && isEmpty(segment)) ?? null;
  }

  /** Room in the segments already there, or null. */
  place(bytes: number, alignment: number | undefined): Place | null {
    // A stack has its order; the others start where the last block was placed.
    const tried = this.#recent;
    if (tried !== null) {
      const place = placeIn(tried, bytes, alignment);
      if (place !== null) return place;
    }
    for (let at = this.#firstCandidate(); at < this.#entries.length; at += 1) {
      const segment = this.#entries[at]?.segment;
      if (segment === undefined || segment === tried) continue;
      const place = placeIn(segment, bytes, alignment);
      if (place === null) continue;
      if (!this.#isStack) this.#recent = segment;
      return place;
    }
    return null;
  }

  /** True when a block of that size would fit now. */
  hasRoom(bytes: number): boolean {
    return this.#entries
      .slice(this.#firstCandidate())
      .some(({ segment }) => isLeased(segment) && segment.largestFreeBytes >= bytes);
  }

  mark(): StackMark {
    this.#assertStack('mark');
    const newest = this.#newestWithBlocks();
    if (newest === null) return { pool: this.#pool, segment: -1, position: 0 };
    return { pool: this.#pool, segment: newest.place, position: newest.segment.mark() };
  }

  /** Frees what came after the mark. Answers how many blocks that were. */
  rewind(mark: StackMark): number {
    this.#assertStack('rewind');
    if (mark.pool !== this.#pool)
      throw refuse(`the mark belongs to pool "${mark.pool}", not "${this.#pool}"`);
    let freed = 0;
    if (mark.segment >= 0) {
      // First, because it may be refused: until then nothing has changed.
      const marked = this.#entries.find((entry) => entry.place === mark.segment);
      if (marked === undefined)
        throw refuse(
          `pool "${this.#pool}": the block that was newest at the mark is not on the stack any more`,
        );
      freed += marked.segment.rewind(mark.position);
    }
    for (const entry of this.#entries)
      if (entry.place > mark.segment && entry.segment.liveBlocks > 0) freed += entry.segment.rewind(null);
    return freed;
  }

  get #isStack(): boolean {
    return this.#entries[0]?.segment.strategy === 'stack';
  }

  #firstCandidate(): number {
    if (!this.#isStack) return 0;
    return Math.max(
      0,
      this.#entries.findLastIndex((entry) => entry.segment.liveBlocks > 0),
    );
  }

  #newestWithBlocks(): Entry | null {
    return this.#entries.findLast((entry) => entry.segment.liveBlocks > 0) ?? null;
  }

  #assertStack(doing: string): void {
    const other = this.#entries.find((entry) => entry.segment.strategy !== 'stack');
    if (other === undefined) return;
    const message = `${doing}: pool "${this.#pool}" uses ${other.segment.strategy}; only stack pools have marks`;
    throw new NautilusError({ code: 'unsupported', message });
  }
}

/** A lost segment gives no new blocks, and stays for those that live. */
function isLeased(segment: HeldSegment): boolean {
  return segment.endKind === null;
}

function placeIn(segment: HeldSegment, bytes: number, alignment: number | undefined): Place | null {
  if (!isLeased(segment)) return null;
  const handle = segment.allocate(bytes, alignment);
  return handle === null ? null : { segment, handle };
}

function refuse(message: string): NautilusError {
  return new NautilusError({ code: 'invalid_request', message });
}
