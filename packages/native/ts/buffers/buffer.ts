// A buffer of a type: a range of memory that answers what it really is, where it lies, which devices share it, whether
// it is locked and whether a disk was seen to reach it.

import type { Arena } from '../arena.ts';
import { checkBytes, checkOffset } from '../check.ts';
import type { Descriptor } from '../descriptor.ts';
import { invalidArgument, NativeError } from '../errors.ts';
import type { Mapping } from '../mapping.ts';
import { createSegment, mapSegment } from '../segment.ts';
import { type BufferTypeName, bufferTypes } from './buffer-types.ts';
import { type DirectIoProof, proveDirectIo } from './direct-io.ts';
import { type ImportedMemory, type ImportingDevice, Imports, type Sharing } from './imports.ts';

export interface BufferOptions<Memory extends ImportedMemory = ImportedMemory> {
  readonly type: BufferTypeName;
  readonly bytes: number;
  /** Of its segment, for humans. */
  readonly name: string;
  /** That shall see it; default none. */
  readonly devices?: readonly ImportingDevice<Memory>[];
  /** For `dma`: a directory on the disk that shall reach the buffer; tried before the buffer is handed out. */
  readonly proveIn?: string;
}

interface Parts<Memory extends ImportedMemory> {
  readonly type: BufferTypeName;
  readonly bytes: number;
  readonly mapping: Mapping;
  readonly offset: number;
  readonly segment: Descriptor | null;
  readonly imports: Imports<Memory> | null;
  readonly directIo: DirectIoProof | null;
  readonly release: () => void;
}

const noSharing: Sharing = { shared: [], copied: false, reason: 'no device was given' };

export class MemoryBuffer<Memory extends ImportedMemory = ImportedMemory> {
  readonly type: BufferTypeName;
  readonly bytes: number;
  readonly mapping: Mapping;
  /** Of its first byte in the mapping, and in what a device made of the mapping. */
  readonly offset: number;
  /** To be granted to others; null when the buffer lies in an arena, whose segment is another's. */
  readonly segment: Descriptor | null;
  /** What happened at import into the devices that were given. */
  readonly sharing: Sharing;
  /** Pages stay in memory; if they do not, `lockReason` says why, or is null when nobody asked. */
  readonly locked: boolean;
  readonly lockReason: string | null;
  /** Null when it was not tried. */
  readonly directIo: DirectIoProof | null;
  readonly #imports: Imports<Memory> | null;
  #release: (() => void) | null;

  /** Made by `createBuffer` and `bufferIn`. */
  constructor(parts: Parts<Memory>) {
    this.type = parts.type;
    this.bytes = parts.bytes;
    this.mapping = parts.mapping;
    this.offset = parts.offset;
    this.segment = parts.segment;
    this.locked = parts.mapping.locked;
    this.lockReason = parts.mapping.lockReason;
    this.directIo = parts.directIo;
    this.#imports = parts.imports;
    this.#release = parts.release;
    const { deviceKind } = bufferTypes[parts.type];
    this.sharing = parts.imports?.sharing(deviceKind) ?? noSharing;
  }

  get closed(): boolean {
    return this.#release === null;
  }

  /** Nothing but the buffer's own bytes. Live until the mapping closes; do not use it after `close`. */
  view(offset = 0, length: number = this.bytes - offset): Uint8Array {
    this.#open();
    checkOffset('offset', offset);
    checkOffset('length', length);
    if (offset + length > this.bytes) {
      throw invalidArgument(
        'offset + length',
        `at most the ${this.bytes} bytes of the buffer`,
        offset + length,
      );
    }
    return this.mapping.view(this.offset + offset, length);
  }

  /** The segment in the device, where the buffer begins at `offset`; null when the device has nothing. */
  on(deviceId: string): Memory | null {
    this.#open();
    return this.#imports?.on(deviceId) ?? null;
  }

  close(): void {
    const release = this.#release;
    this.#release = null;
    release?.();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #open(): void {
    if (this.#release === null) throw new NativeError('closed', 'buffer: already closed');
  }
}

function checkType(type: BufferTypeName) {
  if (!Object.hasOwn(bufferTypes, type)) {
    throw invalidArgument('type', `one of ${Object.keys(bufferTypes).join(', ')}`, type);
  }
  return bufferTypes[type];
}

// Enough for many blocks of any disk, and soon done.
const mostProofBytes = 131_072;

/** A buffer in a segment of its own. What was refused (a lock, a device, the disk) is told by the buffer, not thrown. */
export function createBuffer<Memory extends ImportedMemory = ImportedMemory>(
  options: BufferOptions<Memory>,
): MemoryBuffer<Memory> {
  const { type, name, devices = [], proveIn } = options;
  checkType(type);
  const bytes = checkBytes('bytes', options.bytes);
  const isDma = type === 'dma';
  if (proveIn !== undefined && !isDma) throw invalidArgument('proveIn', "given with type 'dma' only", type);
  const owned: Disposable[] = [];
  try {
    const segment = own(owned, createSegment({ name, bytes }));
    const mapping = own(owned, mapSegment(segment, { access: 'read-write', prefault: isDma, lock: isDma }));
    const directIo = proveIn === undefined ? null : proveOn(mapping, proveIn);
    const imports = own(owned, Imports.of(mapping, devices));
    const release = () => disposeAll(owned);
    return new MemoryBuffer({ type, bytes, mapping, offset: 0, segment, imports, directIo, release });
  } catch (error) {
    disposeAll(owned);
    throw error;
  }
}

function own<Part extends Disposable>(owned: Disposable[], part: Part): Part {
  owned.push(part);
  return part;
}

/** Last first; the rest goes even when one of them throws. */
function disposeAll(owned: Disposable[]): void {
  const last = owned.pop();
  if (last === undefined) return;
  try {
    last[Symbol.dispose]();
  } finally {
    disposeAll(owned);
  }
}

/** Nobody has the memory yet, so all of it is scratch. */
function proveOn(mapping: Mapping, directory: string): DirectIoProof {
  return proveDirectIo({ mapping, offset: 0, bytes: Math.min(mapping.bytes, mostProofBytes), directory });
}

export interface BufferInOptions<Memory extends ImportedMemory = ImportedMemory> {
  readonly arena: Arena;
  /** Of the segment whose blocks the arena hands out. */
  readonly mapping: Mapping;
  readonly type: BufferTypeName;
  readonly bytes: number;
  /** What devices made of the mapping; stays the caller's. Default: none was given it. */
  readonly imports?: Imports<Memory>;
}

/** A block of an arena as a buffer, or null when nothing fits. */
export function bufferIn<Memory extends ImportedMemory = ImportedMemory>(
  options: BufferInOptions<Memory>,
): MemoryBuffer<Memory> | null {
  const { arena, mapping, type, bytes, imports = null } = options;
  const { alignmentBytes, hasOwnSegment, summary } = checkType(type);
  if (hasOwnSegment) {
    throw invalidArgument(
      'type',
      `one that lies beside others (${type}: ${summary}); use createBuffer`,
      type,
    );
  }
  if (mapping.access !== 'read-write')
    throw invalidArgument('mapping', 'a read-write mapping', mapping.access);
  if (mapping.bytes < arena.bytes) {
    throw invalidArgument('mapping', `of the arena's ${arena.bytes} bytes at least`, mapping.bytes);
  }
  if (imports !== null && imports.mapping !== mapping) {
    throw invalidArgument('imports', 'those of the given mapping', imports);
  }
  const handle = arena.allocate(bytes, Math.max(alignmentBytes, arena.minimumAlignment));
  if (handle === null) return null;
  const offset = arena.offsetOf(handle);
  const release = () => arena.free(handle);
  return new MemoryBuffer({ type, bytes, mapping, offset, segment: null, imports, directIo: null, release });
}
