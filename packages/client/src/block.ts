/**
 * An allocation inside a leased segment: a place, and views of it. It costs no message: the arena and the bytes are in
 * this process.
 */
import { NautilusError } from '@nautilus/contracts';
import type { HeldSegment } from './held-segment.ts';
import type { Pool } from './pool.ts';

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
  /** How many rewinds the segment had seen when this was last known to live. */
  #rewinds: number;
  #isFreed = false;

  /** Made by `pool.allocate()`. */
  constructor(home: BlockHome, segment: HeldSegment, handle: number, length: number) {
    this.#home = home;
    this.#segment = segment;
    this.#handle = handle;
    this.#rewinds = segment.rewinds;
    this.offset = segment.offsetOf(handle);
    this.length = length;
  }

  get pool(): Pool {
    return this.#home.pool;
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
    if (this.#isFreed || this.#segment.isClosed || !this.#isStillThere()) return;
    this.free();
  }

  #assertLive(): void {
    if (this.#isFreed || !this.#isStillThere())
      throw new NautilusError({
        code: 'unknown_block',
        message: `block at ${this.offset} of segment ${this.segment}: freed before`,
      });
  }

  #isStillThere(): boolean {
    const segment = this.#segment;
    if (segment.rewinds === this.#rewinds) return true;
    if (!segment.isLive(this.#handle)) return false;
    this.#rewinds = segment.rewinds;
    return true;
  }
}
