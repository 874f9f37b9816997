// Memory that a device reaches. Places are computed here, from bases that never change while the buffer is open: a
// block's handle becomes a device address without a native call.

import { native } from './addon.ts';
import { checkOffset } from './check.ts';
import { invalidArgument, NativeError } from './errors.ts';
import type { DeviceBufferDto, NativeDeviceBuffer } from './native.ts';

/** How the device names a byte: `base + offset`, an address on it, or the number of a buffer and an offset in it. */
export interface DevicePlace {
  readonly base: number;
  readonly offset: number;
  readonly isAddress: boolean;
}

export class DeviceBuffer {
  readonly bytes: number;
  /** Host and device see the same bytes, and no operation copies between the two. */
  readonly shared: boolean;
  /** Why not. */
  readonly reason: string | null;
  /** False: imported from a read-only mapping, and operations that would write are refused. */
  readonly writable: boolean;
  readonly #onClose: (buffer: DeviceBuffer) => void;
  #handle: NativeDeviceBuffer | null;
  // Without a #, which would keep the compiler from inlining `place`.
  private readonly base: number;
  private readonly isAddress: boolean;
  private readonly bases: readonly number[];
  private readonly stretchBytes: number;
  private end: number;

  private constructor(dto: DeviceBufferDto, onClose: (buffer: DeviceBuffer) => void) {
    this.bytes = dto.bytes;
    this.shared = dto.shared;
    this.reason = dto.reason;
    this.writable = dto.writable;
    this.bases = dto.bases;
    this.base = dto.bases[0] ?? 0;
    this.isAddress = dto.isAddress;
    this.stretchBytes = dto.stretchBytes;
    this.end = Math.min(dto.bytes, dto.stretchBytes);
    this.#handle = dto.handle;
    this.#onClose = onClose;
  }

  static fromNative(dto: DeviceBufferDto, onClose: (buffer: DeviceBuffer) => void): DeviceBuffer {
    return new DeviceBuffer(dto, onClose);
  }

  get closed(): boolean {
    return this.#handle === null;
  }

  /** For the other files of this package. */
  get handle(): NativeDeviceBuffer {
    if (this.#handle === null) throw new NativeError('closed', 'device buffer: already closed');
    return this.#handle;
  }

  /** Where the device finds this byte, until the buffer is closed. */
  place(offset: number): DevicePlace {
    if (Number.isInteger(offset) && offset >= 0 && offset < this.end)
      return { base: this.base, offset, isAddress: this.isAddress };
    return this.placeOfAny(offset);
  }

  private placeOfAny(offset: number): DevicePlace {
    if (this.#handle === null) throw new NativeError('closed', 'device buffer: already closed');
    if (checkOffset('offset', offset) >= this.bytes) {
      throw invalidArgument('offset', `less than the ${this.bytes} bytes of the buffer`, offset);
    }
    const stretch = Math.floor(offset / this.stretchBytes);
    const base = this.bases[stretch] ?? 0;
    return { base, offset: offset - stretch * this.stretchBytes, isAddress: this.isAddress };
  }

  /** A copy of bytes, for memory that has no mapping here: born on the device, or copied at import. */
  read(offset: number, bytes: number): Buffer {
    return native.deviceBufferRead(this.handle, checkOffset('offset', offset), checkOffset('bytes', bytes));
  }

  /** Copies bytes in. */
  write(offset: number, bytes: Uint8Array): void {
    if (!(bytes instanceof Uint8Array)) throw invalidArgument('bytes', 'a Uint8Array', bytes);
    native.deviceBufferWrite(this.handle, checkOffset('offset', offset), bytes);
  }

  /** Operations on their way keep the memory until they are done; an imported mapping is let go of then. */
  close(): void {
    const handle = this.#handle;
    if (handle === null) return;
    this.#handle = null;
    this.end = 0;
    native.deviceBufferClose(handle);
    this.#onClose(this);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
