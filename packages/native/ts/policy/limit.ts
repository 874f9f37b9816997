// A hard cap on what may be live at once, for a part of a program that must not take a whole segment. Bytes are as
// asked for: rounding belongs to the strategy and differs between them.

import { checkBytes } from '../check.ts';
import { type Allocator, Policy } from './allocator.ts';

export interface Limits {
  readonly liveBytes?: number;
  readonly liveBlocks?: number;
}

export interface Refusal {
  readonly kind: 'bytes' | 'blocks';
  readonly limit: number;
  /** Live when it was asked. */
  readonly found: number;
  /** Bytes, or one block. */
  readonly asked: number;
}

export class Limit<Upstream extends Allocator> extends Policy<Upstream> {
  readonly #mostBytes: number;
  readonly #mostBlocks: number;
  /** Bytes of the blocks that it let through: others may live below it, and a rewind ends blocks unseen. */
  readonly #own = new Map<number, number>();
  #bytes = 0;
  #lastRefusal: Refusal | null = null;

  constructor(upstream: Upstream, limits: Limits) {
    super(upstream);
    this.#mostBytes = checkBytes('liveBytes', limits.liveBytes ?? Number.MAX_SAFE_INTEGER);
    this.#mostBlocks = checkBytes('liveBlocks', limits.liveBlocks ?? Number.MAX_SAFE_INTEGER);
  }

  get live(): { readonly bytes: number; readonly blocks: number } {
    return { bytes: this.#bytes, blocks: this.#own.size };
  }

  /** Why the last refused allocation was refused. */
  get lastRefusal(): Refusal | null {
    return this.#lastRefusal;
  }

  override allocate(bytes: number, alignment?: number): number | null {
    checkBytes('bytes', bytes);
    if (bytes > this.#mostBytes - this.#bytes)
      return this.#refuse('bytes', this.#mostBytes, this.#bytes, bytes);
    if (this.#own.size >= this.#mostBlocks)
      return this.#refuse('blocks', this.#mostBlocks, this.#own.size, 1);
    const handle = super.allocate(bytes, alignment);
    if (handle === null) return null;
    this.#bytes += bytes;
    this.#own.set(handle, bytes);
    return handle;
  }

  override free(handle: number): void {
    super.free(handle);
    this.#bytes -= this.#own.get(handle) ?? 0;
    this.#own.delete(handle);
  }

  #refuse(kind: Refusal['kind'], limit: number, found: number, asked: number): null {
    this.#lastRefusal = { kind, limit, found, asked };
    return null;
  }
}
