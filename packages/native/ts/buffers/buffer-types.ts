// What a buffer can be for, as data: each type is an alignment, a place and what it needs to keep its promise. A type
// promises no device: whether one really shares the memory is what `sharing` of the buffer answers.

import { native } from '../addon.ts';

export type BufferTypeName = 'unified' | 'metal' | 'coreml' | 'shared' | 'dma';

export interface BufferType {
  readonly name: BufferTypeName;
  /** Of the buffer's address; a power of two. */
  readonly alignmentBytes: number;
  readonly summary: string;
  /** Without which the buffer is memory like any other. */
  readonly needs: string;
  /** The kind of device that it is made for; null: any, or none. */
  readonly deviceKind: string | null;
  /** It cannot lie in an arena beside other blocks. */
  readonly hasOwnSegment: boolean;
}

const { pageBytes } = native.probeHost();

export const bufferTypes: Readonly<Record<BufferTypeName, BufferType>> = {
  unified: {
    name: 'unified',
    alignmentBytes: 64,
    summary: 'for the processor and every device that imports host memory; a cache line',
    needs: 'nothing',
    deviceKind: null,
    hasOwnSegment: false,
  },
  metal: {
    name: 'metal',
    alignmentBytes: 512,
    summary: 'for a Metal device, as an offset into the one no-copy buffer of its segment',
    needs: 'a Metal device (Apple silicon)',
    deviceKind: 'metal',
    hasOwnSegment: false,
  },
  coreml: {
    name: 'coreml',
    alignmentBytes: 256,
    summary: 'for Core ML; the neural engine shares only memory that was born as an IOSurface',
    needs: 'a Core ML device (Apple silicon)',
    deviceKind: 'coreml',
    hasOwnSegment: false,
  },
  shared: {
    name: 'shared',
    alignmentBytes: pageBytes,
    summary: 'for other containers; a grant is a right to a whole segment, so nothing else lies in it',
    needs: 'a grant',
    deviceKind: null,
    hasOwnSegment: true,
  },
  dma: {
    name: 'dma',
    alignmentBytes: pageBytes,
    summary: 'for disks that read and write it in place; page-aligned, present and locked',
    needs: 'RLIMIT_MEMLOCK or CAP_IPC_LOCK, and a file system with direct transfers',
    deviceKind: null,
    hasOwnSegment: true,
  },
};
