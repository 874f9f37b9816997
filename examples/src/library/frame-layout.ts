/**
 * Where everything lies in a ring of frames, for its one writer and its many readers. All numbers are little-endian, as
 * every machine is on which this runs.
 *
 * Header, one page:  0 u32 magic · 4 u32 version · 8 u32 frame count · 12 u32 frame bytes · 64 u64 published sequence
 * Frame:  0 u64 lock · 8 u32 checksum · 12 u32 payload bytes · 16 u64 sequence · 24 f64 Unix ms · 32 payload
 *
 * Sequences count from 1. The lock of frame n is 2n − 1 while it is written and 2n when it is whole, so a reader sees
 * not only that a frame is whole but also that it is the one it came for. The checksum (CRC-32) covers everything
 * behind itself.
 */
import { crc32 } from 'node:zlib';

/** "NFR1" in memory. */
export const frameMagic = 0x31_52_46_4e;
export const frameVersion = 1;
export const headerBytes = 4096;
export const frameHeadBytes = 32;

export const headerAt = { magic: 0, version: 4, frameCount: 8, frameBytes: 12, published: 64 } as const;
export const frameAt = { lock: 0, checksum: 8, payloadBytes: 12, sequence: 16, timestamp: 24 } as const;

export interface RingShape {
  readonly frameCount: number;
  /** Head and payload. */
  readonly frameBytes: number;
}

export class FrameRingError extends Error {
  override readonly name = 'FrameRingError';
}

export function ringBytes(shape: RingShape): number {
  return headerBytes + shape.frameCount * shape.frameBytes;
}

/** Locks are read as whole 64-bit words, so frames start at multiples of 8. */
export function checkShape(shape: RingShape, availableBytes: number): void {
  const { frameCount, frameBytes } = shape;
  if (!Number.isSafeInteger(frameCount) || frameCount < 2)
    throw new FrameRingError(`frame ring: at least 2 frames are needed, found ${frameCount}`);
  if (!Number.isSafeInteger(frameBytes) || frameBytes <= frameHeadBytes || frameBytes % 8 !== 0)
    throw new FrameRingError(
      `frame ring: a frame needs a multiple of 8 bytes above ${frameHeadBytes}, found ${frameBytes}`,
    );
  if (ringBytes(shape) > availableBytes)
    throw new FrameRingError(
      `frame ring: ${frameCount} frames of ${frameBytes} bytes need ${ringBytes(shape)} bytes, there are ${availableBytes}`,
    );
}

export function frameStart(shape: RingShape, sequence: number): number {
  return headerBytes + ((sequence - 1) % shape.frameCount) * shape.frameBytes;
}

/** Over the bytes in place; nothing is copied. `view` is the whole ring. */
export function frameChecksum(view: DataView, start: number, payloadBytes: number): number {
  const from = frameAt.payloadBytes;
  return crc32(
    new Uint8Array(view.buffer, view.byteOffset + start + from, frameHeadBytes - from + payloadBytes),
  );
}
