/** What analytics remembers: a block for each of the last seconds, the oldest given back when a new one begins. */
import type { BlockSet } from './block-set.ts';
import type { BookSummary } from './order-book.ts';
import type { Memory } from './platform.ts';

export const windowBytes = 256 * 1024;
/** f64 average price, f64 quantity. */
const entryBytes = 16;

export class RollingWindows {
  readonly #blocks: BlockSet;
  readonly #most: number;
  #limit: number;
  #current: { readonly view: DataView; entries: number } | null = null;

  constructor(blocks: BlockSet, most: number) {
    this.#blocks = blocks;
    this.#most = most;
    this.#limit = most;
  }

  get count(): number {
    return this.#blocks.size;
  }

  get liveBytes(): number {
    return this.#blocks.liveBytes;
  }

  add(summary: BookSummary): void {
    const current = this.#current;
    if (current === null || (current.entries + 1) * entryBytes > windowBytes) return;
    current.view.setFloat64(current.entries * entryBytes, summary.averagePrice, true);
    current.view.setFloat64(current.entries * entryBytes + 8, summary.quantity, true);
    current.entries += 1;
  }

  /** Begins a new window. Refused memory means one second without one. */
  async rotate(): Promise<void> {
    this.#dropTo(this.#limit - 1);
    const block = await this.#blocks.add(windowBytes);
    this.#current = block === null ? null : { view: dataViewOf(block), entries: 0 };
  }

  /** Remembers at most this much from now on. Answers the bytes freed. */
  limitTo(windows: number): number {
    this.#limit = Math.max(1, Math.min(windows, this.#most));
    return this.#dropTo(this.#limit);
  }

  unlimit(): void {
    this.#limit = this.#most;
  }

  /** Forgets the older half. Answers the bytes freed. */
  halve(): number {
    return this.#dropTo(Math.ceil(this.count / 2));
  }

  /** Forgets everything. Answers the bytes freed. */
  clear(): number {
    return this.#dropTo(0);
  }

  /** Forgets all but the newest windows. Answers the bytes freed. */
  #dropTo(windows: number): number {
    const before = this.#blocks.liveBytes;
    if (windows <= 0) this.#current = null;
    while (this.#blocks.size > windows) {
      const { oldest } = this.#blocks;
      if (oldest === undefined) break;
      this.#blocks.free(oldest);
    }
    return before - this.#blocks.liveBytes;
  }
}

function dataViewOf(block: Memory): DataView {
  const bytes = block.view();
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
