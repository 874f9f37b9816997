/** What the client counted since it was made; `stats()` reads it. */
export interface Counters {
  allocations: number;
  frees: number;
  reconnects: number;
  /** Frames of channels that were published in place, and taken: in place or copied. */
  framesPublished: number;
  framesTaken: number;
  /** Bytes of frames that went over NATS, because one side could not map them; counted on both sides. */
  bytesCopied: number;
}

export function newCounters(): Counters {
  return {
    allocations: 0,
    frees: 0,
    reconnects: 0,
    framesPublished: 0,
    framesTaken: 0,
    bytesCopied: 0,
  };
}

export interface ClientStats extends Readonly<Counters> {
  /** Bytes of the segments that are mapped in place now, own and granted. */
  readonly bytesShared: number;
  /** Segments leased and mapped, those that lost their lease included. */
  readonly segmentsHeld: number;
  /** Segments of others, mapped read-only. */
  readonly segmentsOpen: number;
}
