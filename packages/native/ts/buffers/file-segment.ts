// A file as a segment, without a copy: what is mapped is the system's own cache of the file, so a model of many
// gigabytes costs what is touched, once for all processes that map it.

import { native } from '../addon.ts';
import { checkBytes, checkOffset, checkPath } from '../check.ts';
import { invalidArgument } from '../errors.ts';
import { Mapping } from '../mapping.ts';
import type { FileMappingDto } from '../native.ts';

export interface FileSegmentOptions {
  /** Followed through symbolic links, as any reader of the file would. */
  readonly path: string;
  /**
   * `read-only` shows what others write to the file; a write ends this process. `private` takes writes, in copies of
   * the pages that no other process and no file ever sees.
   */
  readonly access: 'read-only' | 'private';
  /** A multiple of the page size; default 0. */
  readonly offset?: number;
  /** Default: to the end of the file. */
  readonly bytes?: number;
}

export class FileSegment {
  readonly path: string;
  readonly offset: number;
  /** Of the whole file when it was opened. */
  readonly fileBytes: number;
  /** For views, and for devices to import. */
  readonly mapping: Mapping;
  /** Why an access may yet end this process with SIGBUS; null when the file can never be shortened. */
  readonly shrinkRisk: string | null;

  /** Made by `openFileAsSegment`. */
  constructor(options: FileSegmentOptions, dto: FileMappingDto) {
    this.path = options.path;
    this.offset = options.offset ?? 0;
    this.fileBytes = dto.fileBytes;
    this.shrinkRisk = dto.shrinkRisk;
    this.mapping = Mapping.fromNative(dto, options.access);
  }

  /**
   * Bytes in pages that are copies of this process, asked of the kernel: 0 until a private one is written. A driver
   * that pins its pages for a device writes to them in this sense, and the whole file is copied then.
   */
  copiedBytes(): number {
    return native.mappingCopiedBytes(this.mapping.handle);
  }

  close(): void {
    this.mapping.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** The file may be removed or replaced by rename afterwards: the mapping keeps what it has. */
export function openFileAsSegment(options: FileSegmentOptions): FileSegment {
  const { access, offset = 0, bytes } = options;
  if (access !== 'read-only' && access !== 'private') {
    throw invalidArgument('access', "'read-only' or 'private'", access);
  }
  const path = checkPath('path', options.path);
  const length = bytes === undefined ? null : checkBytes('bytes', bytes);
  const dto = native.fileMap(path, access === 'private', checkOffset('offset', offset), length);
  return new FileSegment(options, dto);
}
