// The proof behind the word "dma": a disk wrote the buffer's bytes and read them back without the page cache between.

import { native } from '../addon.ts';
import { checkBytes, checkOffset, checkPath } from '../check.ts';
import { invalidArgument } from '../errors.ts';
import type { Mapping } from '../mapping.ts';
import type { DirectIoProofDto } from '../native.ts';

export type DirectIoProof = DirectIoProofDto;

export interface DirectIoTrial {
  readonly mapping: Mapping;
  readonly offset: number;
  /** Half of them are written and half are read, in whole blocks. */
  readonly bytes: number;
  /** Where a file is made for it, and removed. */
  readonly directory: string;
}

/**
 * The range is scratch: its bytes are lost, and zero afterwards. Waits for the disk, so it is for starts, drills and
 * `doctor`, and not for the path of a request. Throws when no file can be made in the directory.
 */
export function proveDirectIo(trial: DirectIoTrial): DirectIoProof {
  const { mapping, directory } = trial;
  const offset = checkOffset('offset', trial.offset);
  const bytes = checkBytes('bytes', trial.bytes);
  if (mapping.access === 'read-only') throw invalidArgument('mapping', 'a writable mapping', mapping.access);
  if (offset + bytes > mapping.bytes) {
    throw invalidArgument(
      'offset + bytes',
      `at most the ${mapping.bytes} bytes of the mapping`,
      offset + bytes,
    );
  }
  return native.proveDirectIo(mapping.handle, offset, bytes, checkPath('directory', directory));
}
