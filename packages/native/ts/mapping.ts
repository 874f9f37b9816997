// A mapped segment seen from JavaScript. Node 20 cannot hold more than 4 GiB in one ArrayBuffer and V8 does
// not survive two of them with one start address, so there is exactly one per window, cached: windows start
// every 2 GiB and are up to 4 GiB long, hence every range up to 2 GiB lies whole in one. Views are made here,
// in JavaScript, without a native call.

import { markAsUntransferable } from 'node:worker_threads';
import { native } from './addon.ts';
import { checkOffset } from './check.ts';
import { invalidArgument, NativeError } from './errors.ts';
import type { MappingDto, NativeMapping } from './native.ts';

/** Private: writes stay in this process, in copies of the pages. Only files are mapped so. */
export type MapAccess = 'read-write' | 'read-only' | 'private';

export interface MapOptions {
  access: Exclude<MapAccess, 'private'>;
  /** Touch every page now, charged to this process; refused for read-only, whose reader must not pay. */
  prefault?: boolean;
  /** Keep what is touched in memory (mlock); refusal is reported in `lockReason`, not thrown. */
  lock?: boolean;
  /** Map a memfd that its maker may still shrink: every access may then die of SIGBUS. */
  allowUnsealed?: boolean;
}

const windowStrideBytes = 2 ** 31;
export const maxWindowBytes = 2 ** 32;

// The engine of Node 22 ends the process when a buffer with a detach key is transferred by the method.
const refusal = {
  value(): never {
    throw new TypeError('a window of shared memory cannot be transferred; send its bytes, or a grant');
  },
};

// An ArrayBuffer does not own the memory under it. As long as it lives, and any view of it, it keeps the handle
// alive, and the handle keeps the memory mapped.
const handles = new WeakMap<ArrayBuffer, NativeMapping>();

export class Mapping {
  readonly bytes: number;
  readonly access: MapAccess;
  readonly locked: boolean;
  readonly lockReason: string | null;
  readonly #windows: (ArrayBuffer | undefined)[] = [];
  #handle: NativeMapping | null;
  /** The first window, where most views are. Without a #, which would keep the compiler from inlining `view`. */
  private first: ArrayBuffer | null = null;

  private constructor(dto: MappingDto, access: MapAccess) {
    this.bytes = dto.bytes;
    this.access = access;
    this.locked = dto.locked;
    this.lockReason = dto.lockReason;
    this.#handle = dto.handle;
  }

  static fromNative(dto: MappingDto, access: MapAccess): Mapping {
    return new Mapping(dto, access);
  }

  get closed(): boolean {
    return this.#handle === null;
  }

  /** For the other files of this package. */
  get handle(): NativeMapping {
    if (this.#handle === null) throw new NativeError('closed', 'mapping: already closed');
    return this.#handle;
  }

  /** Live until close(); writing into a read-only mapping ends the process (with a line on stderr). */
  view(offset: number, length: number): Uint8Array {
    const { first } = this;
    if (first !== null && offset >= 0 && length >= 0 && offset + length <= first.byteLength)
      if (Number.isInteger(offset) && Number.isInteger(length)) return new Uint8Array(first, offset, length);
    return this.viewOfAny(offset, length);
  }

  private viewOfAny(offset: number, length: number): Uint8Array {
    const handle = this.handle;
    checkOffset('offset', offset);
    checkOffset('length', length);
    const end = offset + length;
    if (end > this.bytes) {
      throw invalidArgument('offset + length', `at most the ${this.bytes} bytes of the mapping`, end);
    }
    const index = windowOf(offset, end);
    const window = this.#windows[index] ?? this.#openWindow(handle, index);
    return new Uint8Array(window, offset - index * windowStrideBytes, length);
  }

  /**
   * Bytes of the segment that are in memory now, whoever touched them (mincore). The kernel answers "all"
   * to a reader that neither owns the segment nor may write it.
   */
  residentBytes(): number {
    return native.mappingResidentBytes(this.handle);
  }

  /**
   * Live views become empty first, then the memory is unmapped. A view that an asynchronous native call still
   * uses (fs, crypto, zlib) must be awaited before.
   */
  close(): void {
    const handle = this.#handle;
    if (handle === null) return;
    this.#handle = null;
    this.first = null;
    native.mappingClose(
      handle,
      this.#windows.filter((window) => window !== undefined),
    );
    this.#windows.length = 0;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #openWindow(handle: NativeMapping, index: number): ArrayBuffer {
    const start = index * windowStrideBytes;
    const window = native.mappingWindow(handle, start, Math.min(maxWindowBytes, this.bytes - start));
    handles.set(window, handle);
    // In a message it is copied, or refused, by the version of Node; it never moves.
    markAsUntransferable(window);
    Object.defineProperties(window, { transfer: refusal, transferToFixedLength: refusal });
    this.#windows[index] = window;
    if (index === 0) this.first = window;
    return window;
  }
}

/**
 * Even windows tile the mapping, odd ones bridge two of them: a mapping up to 4 GiB needs one window only.
 */
function windowOf(offset: number, end: number): number {
  const tile = Math.floor(Math.min(offset, Math.max(0, end - 1)) / maxWindowBytes) * 2;
  if (end <= tile * windowStrideBytes + maxWindowBytes) return tile;
  const bridge = tile + 1;
  const bridgeStart = bridge * windowStrideBytes;
  if (offset >= bridgeStart && end <= bridgeStart + maxWindowBytes) return bridge;
  throw new NativeError(
    'too_large',
    `view: ${end - offset} bytes at offset ${offset} lie in no single window; take views of at most ${windowStrideBytes} bytes`,
  );
}
