/** A recorded run of a program: every allocation and every free in order, read where the file's bytes lie. */

/** u32 op, u32 id, u64 size. */
export const recordBytes = 16;
const recordWords = recordBytes / 4;
const highWord = 2 ** 32;

export class Trace {
  readonly name: string;
  readonly events: number;
  /** Blocks have ids from 0 to this, exclusive. */
  readonly blocks: number;
  readonly #words: Uint32Array;

  /** Made by `readTrace()`, which has checked every record. */
  constructor(name: string, words: Uint32Array, blocks: number) {
    this.name = name;
    this.events = words.length / recordWords;
    this.blocks = blocks;
    this.#words = words;
  }

  /** 0 allocates, 1 frees. */
  operation(event: number): number {
    return this.#words[event * recordWords] ?? 0;
  }

  isAllocation(event: number): boolean {
    return this.operation(event) === 0;
  }

  id(event: number): number {
    return this.#words[event * recordWords + 1] ?? 0;
  }

  /** Bytes; 0 for a free. */
  size(event: number): number {
    const at = event * recordWords + 2;
    return (this.#words[at] ?? 0) + (this.#words[at + 1] ?? 0) * highWord;
  }
}
