/**
 * A reader of a ring of frames, in place: it looks at the writer's bytes while the writer goes on, and believes a frame
 * only when its lock stood still and its checksum is right. It writes nothing: its mapping is read-only.
 *
 * Memory order: x86 keeps loads in order. On Arm an atomic load holds back what follows it, not what precedes it, so a
 * payload load may slip behind the second look at the lock; a wrong checksum is therefore looked at once more before
 * it counts as one.
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
  headerBytes,
  type RingShape,
} from './frame-layout.ts';
import type { ReadonlyBytes } from './platform.ts';

export interface Frame {
  readonly sequence: number;
  /** Unix milliseconds at which it was written. */
  readonly timestampMs: number;
  /** The writer's bytes, in place: use it, then ask `holds(sequence)` whether it was still that frame. */
  readonly payload: ReadonlyBytes;
}

export type FrameOutcome =
  | { readonly kind: 'verified'; readonly frame: Frame }
  /** Being written, or overwritten by a later frame, while it was looked at. */
  | { readonly kind: 'torn' }
  | { readonly kind: 'corrupt'; readonly expected: number; readonly found: number };

const torn: FrameOutcome = { kind: 'torn' };

export class FrameReader {
  readonly shape: RingShape;
  readonly #bytes: ReadonlyBytes;
  readonly #view: DataView;
  readonly #words: BigUint64Array;

  /** Throws a `FrameRingError` when the bytes are no ring of a version that this reader knows. */
  constructor(bytes: ReadonlyBytes) {
    if (bytes.byteLength < headerBytes)
      throw new FrameRingError(`frame ring: ${bytes.byteLength} bytes, the header alone has ${headerBytes}`);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#words = new BigUint64Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.byteLength / 8));
    const magic = Atomics.load(new Int32Array(bytes.buffer, bytes.byteOffset, 1), headerAt.magic / 4) >>> 0;
    if (magic !== frameMagic)
      throw new FrameRingError(`frame ring: magic 0x${magic.toString(16)}, not 0x${frameMagic.toString(16)}`);
    const version = this.#view.getUint32(headerAt.version, true);
    if (version !== frameVersion)
      throw new FrameRingError(`frame ring: version ${version}, this reader knows ${frameVersion}`);
    this.shape = {
      frameCount: this.#view.getUint32(headerAt.frameCount, true),
      frameBytes: this.#view.getUint32(headerAt.frameBytes, true),
    };
    checkShape(this.shape, bytes.byteLength);
  }

  /** Sequence of the newest whole frame; 0 before the first. */
  get published(): number {
    return Number(Atomics.load(this.#words, headerAt.published / 8));
  }

  /** The oldest frame that the writer does not write next. */
  get oldest(): number {
    return Math.max(1, this.published - this.shape.frameCount + 2);
  }

  read(sequence: number): FrameOutcome {
    const first = this.#look(sequence);
    return first.kind === 'corrupt' ? this.#look(sequence) : first;
  }

  /** Whether the frame is whole and still the one of that sequence. */
  holds(sequence: number): boolean {
    const lock = (frameStart(this.shape, sequence) + frameAt.lock) / 8;
    return Atomics.load(this.#words, lock) === BigInt(2 * sequence);
  }

  #look(sequence: number): FrameOutcome {
    if (!this.holds(sequence)) return torn;
    const start = frameStart(this.shape, sequence);
    const length = this.#view.getUint32(start + frameAt.payloadBytes, true);
    // Also the bound that keeps a broken writer from leading us out of the frame.
    if (length > this.shape.frameBytes - frameHeadBytes)
      return this.holds(sequence) ? { kind: 'corrupt', expected: 0, found: length } : torn;
    const expected = this.#view.getUint32(start + frameAt.checksum, true);
    const found = frameChecksum(this.#view, start, length);
    const timestampMs = this.#view.getFloat64(start + frameAt.timestamp, true);
    const written = Number(this.#view.getBigUint64(start + frameAt.sequence, true));
    if (!this.holds(sequence)) return torn;
    if (expected !== found || written !== sequence) return { kind: 'corrupt', expected, found };
    const payloadStart = start + frameHeadBytes;
    const payload = this.#bytes.subarray(payloadStart, payloadStart + length);
    return { kind: 'verified', frame: { sequence, timestampMs, payload } };
  }
}
