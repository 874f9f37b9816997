/** Where a stack pool stood: `pool.rewind(mark)` frees everything that was allocated since, over all its segments. */

export interface StackMark {
  /** Name of the pool that made it. */
  readonly pool: string;
  /** The newest segment with blocks at that time, by its place in the pool; -1 when there was no block. */
  readonly segment: number;
  /** The arena's own mark inside that segment. */
  readonly position: number;
}
