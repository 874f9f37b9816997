// Segments: the shared-memory objects that are leased, granted and reclaimed. Creating one touches nothing:
// the kernel charges a page to whoever touches it first, and that must be the owner.

import { native } from './addon.ts';
import { checkBytes, checkPath } from './check.ts';
import { Descriptor } from './descriptor.ts';
import { invalidArgument } from './errors.ts';
import { type MapOptions, Mapping } from './mapping.ts';
import type { InspectionDto, SealDto, SegmentKindDto } from './native.ts';

export type SegmentKind = 'memfd' | 'posix';

/** What this host can make, in order of preference; an unavailable kind says why. */
export const segmentKinds: readonly SegmentKindDto[] = native.segmentKinds();

export interface SegmentOptions {
  /** Shown in /proc/<pid>/maps; no identity. */
  name: string;
  /** Rounded up to whole pages (huge pages when asked for); may exceed 4 GiB. */
  bytes: number;
  /** Default: the first available of `segmentKinds`. */
  kind?: SegmentKind;
  /** Reserved at creation, so that no later touch can fail with SIGBUS. */
  hugePages?: boolean;
}

export function createSegment(options: SegmentOptions): Descriptor {
  const { name, bytes, hugePages = false } = options;
  if (typeof name !== 'string' || name.length === 0 || name.length > 200 || name.includes('\0')) {
    throw invalidArgument('name', '1 to 200 characters without NUL', name);
  }
  const kind = options.kind ?? segmentKinds.find((entry) => entry.available)?.kind ?? 'memfd';
  const { fd, readOnlyFd } = native.segmentCreate(kind, name, checkBytes('bytes', bytes), hugePages);
  return Descriptor.fromNative(fd, readOnlyFd);
}

/** A file that must not exist yet (mode 0600), on tmpfs or disk, with all its storage reserved. */
export function createFileSegment(options: { path: string; bytes: number }): Descriptor {
  const path = checkPath('path', options.path);
  return Descriptor.fromNative(native.fileSegmentCreate(path, checkBytes('bytes', options.bytes)));
}

export function openFileSegment(options: { path: string; writable: boolean }): Descriptor {
  return Descriptor.fromNative(native.fileSegmentOpen(checkPath('path', options.path), options.writable));
}

/** A new descriptor of the same memory through which nobody can map it writable. */
export function reopenReadOnly(descriptor: Descriptor): Descriptor {
  return Descriptor.fromNative(native.descriptorReopenReadOnly(descriptor.readOnlyFd ?? descriptor.fd));
}

/**
 * Existing writable mappings stay; from now on nobody makes a new one, not even root through /proc. The
 * owner therefore maps first and seals then.
 */
export function sealFutureWrites(descriptor: Descriptor): SealDto {
  return native.descriptorSealFutureWrites(descriptor.fd);
}

export function inspectDescriptor(descriptor: Descriptor): InspectionDto {
  return native.descriptorInspect(descriptor.fd);
}

/** Maps the whole segment; the descriptor may be closed afterwards. */
export function mapSegment(descriptor: Descriptor, options: MapOptions): Mapping {
  const { access, prefault = false, lock = false, allowUnsealed = false } = options;
  if (access !== 'read-write' && access !== 'read-only') {
    throw invalidArgument('access', "'read-write' or 'read-only'", access);
  }
  const dto = native.mappingCreate(descriptor.fd, access === 'read-write', prefault, lock, allowUnsealed);
  return Mapping.fromNative(dto, access);
}
