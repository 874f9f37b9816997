/**
 * Allocates and frees exactly as the recorded program did, some events at a time. At the end of the trace it frees what
 * the program never freed, and can begin again.
 */
import type { BlockSet } from '../library/block-set.ts';
import type { Memory } from '../library/platform.ts';
import { touchEnds } from '../library/touch.ts';
import type { Trace } from './trace.ts';

export class Replay {
  readonly #trace: Trace;
  readonly #blocks: BlockSet;
  /** By the trace's id; null when it was freed or refused. */
  readonly #byId: (Memory | null)[];
  #event = 0;
  #leftover = 0;

  constructor(trace: Trace, blocks: BlockSet) {
    this.#trace = trace;
    this.#blocks = blocks;
    this.#byId = new Array<Memory | null>(trace.blocks).fill(null);
  }

  /** Where in the trace it stands. */
  get event(): number {
    return this.#event;
  }

  /** True when this was the last step: every block is freed, the next step starts over. */
  async step(events: number): Promise<boolean> {
    let left = events;
    while (left > 0 && this.#event < this.#trace.events) {
      // Only the allocation that needs a new segment is waited for.
      if (!this.#play(this.#event)) await this.#wait(this.#event);
      this.#event += 1;
      left -= 1;
    }
    while (left > 0 && this.#leftover < this.#trace.blocks) {
      this.#free(this.#leftover);
      this.#leftover += 1;
      left -= 1;
    }
    if (this.#leftover < this.#trace.blocks) return false;
    this.#event = 0;
    this.#leftover = 0;
    return true;
  }

  /** False when the segments that are held have no room. */
  #play(event: number): boolean {
    const id = this.#trace.id(event);
    if (!this.#trace.isAllocation(event)) {
      this.#free(id);
      return true;
    }
    const block = this.#blocks.tryAdd(this.#trace.size(event));
    if (block === null) return false;
    this.#keep(id, block);
    return true;
  }

  async #wait(event: number): Promise<void> {
    const block = await this.#blocks.add(this.#trace.size(event));
    if (block !== null) this.#keep(this.#trace.id(event), block);
  }

  #keep(id: number, block: Memory): void {
    touchEnds(block.view(), id & 0xff);
    this.#byId[id] = block;
  }

  #free(id: number): void {
    const block = this.#byId[id] ?? null;
    if (block === null) return;
    this.#byId[id] = null;
    this.#blocks.free(block);
  }
}
