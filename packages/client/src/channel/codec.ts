/** How values become frames and back, for channels that carry more than bytes. Without one a message is its bytes. */
import type { ReadonlyBytes } from '../read-only-bytes.ts';

export interface Codec<T> {
  /** The most that one encoded value takes. */
  readonly bytes: number;
  /** Writes the value from the start of `into` on; answers how many bytes. */
  encode(value: T, into: Uint8Array): number;
  /** `from` is shared memory and stays so only until the message is released: the value keeps none of it. */
  decode(from: ReadonlyBytes): T;
}
