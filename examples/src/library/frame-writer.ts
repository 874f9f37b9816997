/**
 * The one writer of a ring of frames. It never waits for a reader: one that is too slow finds its frame overwritten and
 * knows it from the lock.
 *
 * Memory order: the lock is made odd by an exchange and not by a store, because a release store would let the payload's
 * stores overtake it on Arm; the even lock and the published sequence are stores that everything before them precedes.
 * The `Atomics` work on plain ArrayBuffers as on shared ones: same instructions, and the memory behind is shared.
 */
import {
  checkShape,
  FrameRingError,
  frameAt,
  frameChecksum,
  frameHeadBytes,
  frameMagic,
  frameStart,
  frameVersion,
  headerAt,
  type RingShape,
} from './frame-layout.ts';

export class FrameWriter {
  readonly shape: RingShape;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #words: BigUint64Array;
  #published = 0;

  /** `bytes` starts at a multiple of 8 of its buffer and is overwritten. */
  constructor(bytes: Uint8Array, shape: RingShape) {
    checkShape(shape, bytes.byteLength);
    this.shape = shape;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#words = new BigUint64Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.byteLength / 8));
    bytes.fill(0);
    this.#view.setUint32(headerAt.version, frameVersion, true);
    this.#view.setUint32(headerAt.frameCount, shape.frameCount, true);
    this.#view.setUint32(headerAt.frameBytes, shape.frameBytes, true);
    // Last: who finds the magic finds the rest.
    const start = new Int32Array(bytes.buffer, bytes.byteOffset, 1);
    Atomics.store(start, headerAt.magic / 4, frameMagic);
  }

  /** Sequence of the newest whole frame; 0 before the first. */
  get published(): number {
    return this.#published;
  }

  get payloadCapacity(): number {
    return this.shape.frameBytes - frameHeadBytes;
  }

  /** `fill` writes the payload in place and answers its length. Answers the frame's sequence. */
  publish(fill: (payload: Uint8Array) => number, timestampMs: number): number {
    const sequence = this.#published + 1;
    const start = frameStart(this.shape, sequence);
    const lock = (start + frameAt.lock) / 8;
    Atomics.exchange(this.#words, lock, BigInt(2 * sequence - 1));
    const payloadStart = start + frameHeadBytes;
    const length = fill(this.#bytes.subarray(payloadStart, payloadStart + this.payloadCapacity));
    if (!Number.isInteger(length) || length < 0 || length > this.payloadCapacity)
      throw new FrameRingError(
        `frame ${sequence}: a payload of ${length} bytes, possible are 0 to ${this.payloadCapacity}`,
      );
    this.#view.setUint32(start + frameAt.payloadBytes, length, true);
    this.#view.setBigUint64(start + frameAt.sequence, BigInt(sequence), true);
    this.#view.setFloat64(start + frameAt.timestamp, timestampMs, true);
    this.#view.setUint32(start + frameAt.checksum, frameChecksum(this.#view, start, length), true);
    Atomics.store(this.#words, lock, BigInt(2 * sequence));
    Atomics.store(this.#words, headerAt.published / 8, BigInt(sequence));
    this.#published = sequence;
    return sequence;
  }
}
