/**
 * The blocks that a program holds of one pool. A refused allocation is a figure and an `error` line, not the end of the
 * program: budgets move, and the next one may be granted.
 */
import type { FaultLog } from './fault-log.ts';
import type { Memory, MemoryPool } from './platform.ts';

export interface BlockSetOptions {
  readonly pool: MemoryPool;
  readonly faults: FaultLog;
  readonly signal: AbortSignal;
}

export class BlockSet {
  readonly #options: BlockSetOptions;
  readonly #blocks = new Set<Memory>();
  #liveBytes = 0;

  constructor(options: BlockSetOptions) {
    this.#options = options;
  }

  get liveBytes(): number {
    return this.#liveBytes;
  }

  get size(): number {
    return this.#blocks.size;
  }

  get oldest(): Memory | undefined {
    return this.#blocks.values().next().value;
  }

  /** From the segments already there; null when none has room. No message, no await. */
  tryAdd(bytes: number): Memory | null {
    const block = this.#options.pool.tryAllocate(bytes);
    return block === null ? null : this.#keep(block);
  }

  /** Throws when the platform refuses. */
  async demand(bytes: number): Promise<Memory> {
    const { pool, signal } = this.#options;
    return this.#keep(await pool.allocate(bytes, { signal }));
  }

  /** Null when the platform refuses, or when the program is told to stop. */
  async add(bytes: number): Promise<Memory | null> {
    const { signal, faults } = this.#options;
    try {
      return this.tryAdd(bytes) ?? (await this.demand(bytes));
    } catch (error) {
      if (signal.aborted) return null;
      faults.note(error);
      return null;
    }
  }

  free(block: Memory): void {
    if (!this.#blocks.delete(block)) return;
    this.#liveBytes -= block.length;
    block.free();
  }

  freeAll(): number {
    const before = this.#liveBytes;
    for (const block of this.#blocks) this.free(block);
    return before;
  }

  #keep(block: Memory): Memory {
    this.#blocks.add(block);
    this.#liveBytes += block.length;
    return block;
  }
}
