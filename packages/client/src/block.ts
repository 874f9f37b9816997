/**
 * An allocation inside a leased segment: a place, and views of it. It costs no message: the arena and the bytes are in
 * this process.
 */
import { NautilusError } from '@nautilus/contracts';
import type { HeldSegment } from './held-segment.ts';
import type { Pool } from './pool.ts';
import type { BlockName } from './worker-pool.ts';

/** The pool's side of a block's end. */
export interface BlockHome {
  readonly pool: Pool;
  free(segment: HeldSegment, handle: number): void;
}

export class Block implements Disposable {
  /** Bytes from the start of the segment. */
  readonly offset: number;
  /** Bytes that were asked for. */
  readonly length: number;
  /** Always shared in place, never a copy. */
  readonly copied = false;
  readonly #home: BlockHome;
  readonly #segment: HeldSegment;
  readonly #handle: number;
  #isFreed = false;

  /** Made by `pool.allocate()`. */
  constructor(home: BlockHome, segment: HeldSegment, handle: number, length: number) {
    this.#home = home;
    this.#segment = segment;
    this.#handle = handle;
    this.offset = segment.offsetOf(handle);
    this.length = length;
  }

  get pool(): Pool {
    return this.#home.pool;
  }

  /** Segment and handle, as another thread of this process finds the block by them. */
  get name(): BlockName {
    return { segment: this.segment, handle: this.#handle };
  }

  /** Id of the segment that holds it. */
  get segment(): string {
    return this.#segment.segment;
  }

  /** The bytes in place, valid until the block is freed; what is written after that hits whoever has the place next. */
  view(): Uint8Array {
    this.#assertLive();
    return this.#segment.view(this.offset, this.length);
  }

  /** Twice is an error: `unknown_block`. */
  free(): void {
    this.#assertLive();
    this.#home.free(this.#segment, this.#handle);
    this.#isFreed = true;
  }

  /** Lets another container map the whole segment read-only: a grant has no finer grain than a segment. */
  async grant(to: string, options: { signal?: AbortSignal } = {}): Promise<void> {
    this.#assertLive();
    await this.pool.grant(this, to, options);
  }

  /** Frees it if that has not happened, by itself or with its stack, pool or client. */
  [Symbol.dispose](): void {
    if (this.#isFreed || this.#segment.isClosed || !this.#segment.isLive(this.#handle)) return;
    this.free();
  }

  #assertLive(): void {
    // Others end blocks too: a rewind, or another thread.
    if (this.#isFreed || !this.#segment.isLive(this.#handle))
      throw new NautilusError({
        code: 'unknown_block',
        message: `block at ${this.offset} of segment ${this.segment}: freed before`,
      });
  }
}
