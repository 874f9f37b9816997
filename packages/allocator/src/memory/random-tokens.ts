/**
 * Random identifiers from a block of randomness fetched at once: two system calls for each lease were its largest
 * single cost in a profile of the agent.
 * A byte is used once and wiped when it has been used, so that a core dump does not hold tickets that were issued.
 */
import { randomFillSync } from 'node:crypto';

const blockBytes = 4096;

export class RandomTokens {
  readonly #block = Buffer.alloc(blockBytes);
  #used = blockBytes;

  /** `bytes` random bytes, encoded. */
  next(bytes: number, encoding: 'hex' | 'base64url'): string {
    if (this.#used + bytes > blockBytes) {
      randomFillSync(this.#block);
      this.#used = 0;
    }
    const slice = this.#block.subarray(this.#used, this.#used + bytes);
    const text = slice.toString(encoding);
    slice.fill(0);
    this.#used += bytes;
    return text;
  }
}
