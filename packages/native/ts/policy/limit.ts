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
  #bytes = 0;
  #blocks = 0;
  #lastRefusal: Refusal | null = null;

  constructor(upstream: Upstream, limits: Limits) {
    super(upstream);
    this.#mostBytes = checkBytes('liveBytes', limits.liveBytes ?? Number.MAX_SAFE_INTEGER);
    this.#mostBlocks = checkBytes('liveBlocks', limits.liveBlocks ?? Number.MAX_SAFE_INTEGER);
  }

  get live(): { readonly bytes: number; readonly blocks: number } {
    return { bytes: this.#bytes, blocks: this.#blocks };
  }

  /** Why the last refused allocation was refused. */
  get lastRefusal(): Refusal | null {
    return this.#lastRefusal;
  }

  override allocate(bytes: number, alignment?: number): number | null {
    checkBytes('bytes', bytes);
    if (bytes > this.#mostBytes - this.#bytes)
      return this.#refuse('bytes', this.#mostBytes, this.#bytes, bytes);
    if (this.#blocks >= this.#mostBlocks) return this.#refuse('blocks', this.#mostBlocks, this.#blocks, 1);
    const handle = super.allocate(bytes, alignment);
    if (handle === null) return null;
    this.#bytes += bytes;
    this.#blocks += 1;
    return handle;
  }

  override free(handle: number): void {
    const bytes = this.lengthOf(handle);
    super.free(handle);
    this.#bytes -= bytes;
    this.#blocks -= 1;
  }

  #refuse(kind: Refusal['kind'], limit: number, found: number, asked: number): null {
    this.#lastRefusal = { kind, limit, found, asked };
    return null;
  }
}
