/** What the client counted since it was made; `stats()` reads it. */
export interface Counters {
  allocations: number;
  frees: number;
  reconnects: number;
}

export interface ClientStats extends Readonly<Counters> {
  /** Bytes of the segments that are mapped in place now, own and granted. */
  readonly bytesShared: number;
  /** Bytes that had to be copied instead. This library has no path that copies. */
  readonly bytesCopied: 0;
  /** Segments leased and mapped, those that lost their lease included. */
  readonly segmentsHeld: number;
  /** Segments of others, mapped read-only. */
  readonly segmentsOpen: number;
}
