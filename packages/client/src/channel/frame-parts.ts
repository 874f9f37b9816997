/**
 * Frames in parts, and back. Pure: parts of one stream come in order or not at all, so a gap is a loss, and a loss is
 * counted. What a publisher announces is believed only as far as its channel's frames are long.
 */
import type { FramePart } from '@nautilus/bus';

export interface Slice {
  readonly part: number;
  readonly parts: number;
  readonly begin: number;
  readonly end: number;
}

/** An empty frame is one empty part. */
export function slicesOf(length: number, largestBytes: number): Slice[] {
  const parts = Math.max(1, Math.ceil(length / largestBytes));
  return Array.from({ length: parts }, (_, part) => ({
    part,
    parts,
    begin: part * largestBytes,
    end: Math.min(length, (part + 1) * largestBytes),
  }));
}

export interface WholeFrame {
  readonly sequence: number;
  readonly bytes: Uint8Array;
}

export class FrameAssembler {
  /** Frames that were published and did not arrive whole. */
  dropped = 0;
  readonly #stream: string;
  readonly #frameBytes: number;
  /** The frame that comes next, or whose parts are coming. */
  #sequence: number;
  #partial: { readonly bytes: Uint8Array; filled: number; next: number; readonly parts: number } | null =
    null;

  constructor(start: { stream: string; sequence: number; frameBytes: number }) {
    this.#stream = start.stream;
    this.#sequence = start.sequence | 0;
    this.#frameBytes = start.frameBytes;
  }

  /** The frame that this part completes. Parts of other streams and of frames before the start are nobody's. */
  take(part: FramePart, bytes: Uint8Array): WholeFrame | null {
    if (part.stream !== this.#stream || part.parts === 0) return null;
    const ahead = (part.sequence - this.#sequence) | 0;
    if (ahead < 0) return null;
    if (ahead > 0) this.#skip(ahead);
    if (part.length > this.#frameBytes || part.part !== (this.#partial?.next ?? 0)) {
      this.#skip(1);
      return null;
    }
    if (part.parts === 1) return bytes.length === part.length ? this.#whole(bytes) : this.#skip(1);
    // Before memory is reserved: as many parts as a first one of this length makes.
    if (this.#partial === null && part.parts !== Math.ceil(part.length / bytes.length)) return this.#skip(1);
    this.#partial ??= { bytes: new Uint8Array(part.length), filled: 0, next: 0, parts: part.parts };
    const { filled } = this.#partial;
    const isLast = part.part === part.parts - 1;
    const fits = isLast ? filled + bytes.length === part.length : filled + bytes.length < part.length;
    if (!fits || part.parts !== this.#partial.parts || part.length !== this.#partial.bytes.length)
      return this.#skip(1);
    this.#partial.bytes.set(bytes, filled);
    this.#partial.filled = filled + bytes.length;
    this.#partial.next += 1;
    return isLast ? this.#whole(this.#partial.bytes) : null;
  }

  /** True for the word of this stream's publisher that no more will come. */
  isEnd(part: FramePart): boolean {
    return part.stream === this.#stream && part.parts === 0;
  }

  /** The end says which frame would have been next: what is missing before it is lost. */
  end(part: FramePart): void {
    const ahead = (part.sequence - this.#sequence) | 0;
    if (ahead > 0) this.#skip(ahead);
  }

  #whole(bytes: Uint8Array): WholeFrame {
    const sequence = this.#sequence;
    this.#partial = null;
    this.#sequence = (sequence + 1) | 0;
    return { sequence, bytes };
  }

  /** The rest of a frame that was given up is behind the sequence, and ignored. */
  #skip(frames: number): null {
    this.#partial = null;
    this.dropped += frames;
    this.#sequence = (this.#sequence + frames) | 0;
    return null;
  }
}
