// Current, peak and total of bytes and blocks, in scopes: what one phase of a program took, apart from what was live
// before it. A scope that ends is folded into the one around it, whose peak then includes the scope's.

import { type Allocator, Policy } from './allocator.ts';

export interface Counter {
  /** Since the scope began; below 0 when it freed more than it allocated. */
  readonly current: number;
  /** Highest current of the scope, never below 0. */
  readonly peak: number;
  /** Of allocations; frees take nothing off. */
  readonly total: number;
}

export interface StatisticsFigures {
  /** As asked for. */
  readonly bytes: Counter;
  readonly blocks: Counter;
}

const zero: Counter = { current: 0, peak: 0, total: 0 };
const nothing: StatisticsFigures = { bytes: zero, blocks: zero };

function changed(counter: Counter, amount: number): Counter {
  const current = counter.current + amount;
  return {
    current,
    peak: Math.max(counter.peak, current),
    total: counter.total + Math.max(0, amount),
  };
}

function folded(outer: Counter, inner: Counter): Counter {
  return {
    current: outer.current + inner.current,
    peak: Math.max(outer.peak, outer.current + inner.peak),
    total: outer.total + inner.total,
  };
}

export class Statistics<Upstream extends Allocator> extends Policy<Upstream> {
  /** The scopes around the present one, outermost first. */
  readonly #around: StatisticsFigures[] = [];
  #figures = nothing;

  /** Of the innermost scope. */
  get figures(): StatisticsFigures {
    return this.#figures;
  }

  push(): void {
    this.#around.push(this.#figures);
    this.#figures = nothing;
  }

  /** The figures of the scope that ends. Without a scope to end: null. */
  pop(): StatisticsFigures | null {
    const outer = this.#around.pop();
    if (outer === undefined) return null;
    const inner = this.#figures;
    this.#figures = {
      bytes: folded(outer.bytes, inner.bytes),
      blocks: folded(outer.blocks, inner.blocks),
    };
    return inner;
  }

  override allocate(bytes: number, alignment?: number): number | null {
    const handle = super.allocate(bytes, alignment);
    if (handle !== null) this.#count(bytes, 1);
    return handle;
  }

  override free(handle: number): void {
    const bytes = this.lengthOf(handle);
    super.free(handle);
    this.#count(-bytes, -1);
  }

  #count(bytes: number, blocks: number): void {
    const figures = this.#figures;
    this.#figures = { bytes: changed(figures.bytes, bytes), blocks: changed(figures.blocks, blocks) };
  }
}
