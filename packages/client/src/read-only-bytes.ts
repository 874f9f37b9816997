/**
 * Bytes of another container, seen in place. The type has no way to write; a write behind its back (a cast, a view of
 * `buffer`) meets a read-only page: the process ends with a line on stderr that says so.
 */

type Writers = 'set' | 'fill' | 'sort' | 'reverse' | 'copyWithin';
/** Would hand the same bytes out as a plain `Uint8Array`. */
type Escapes = 'subarray' | 'valueOf';

export interface ReadonlyBytes extends Omit<Uint8Array, Writers | Escapes | number> {
  readonly [index: number]: number;
  [Symbol.iterator](): ArrayIterator<number>;
  subarray(begin?: number, end?: number): ReadonlyBytes;
}
