/** How big a segment to ask for, and what sizes a block may have. Pure arithmetic. */
import { maximumSegmentBytes, NautilusError } from '@nautilus/contracts';

/** Segments are whole pages of this size on every platform that runs this. */
const pageBytes = 4096;
/** The largest alignment that the allocator knows. */
const maximumAlignment = 65_536;

/** What was asked for, and never smaller than the block. */
export function segmentBytesFor(blockBytes: number, askedBytes: number | null): number {
  return Math.max(askedBytes ?? 0, Math.ceil(blockBytes / pageBytes) * pageBytes);
}

/** The next power of two, for a strategy that cuts its segments into such; null when there is none in range. */
export function widened(segmentBytes: number): number | null {
  const wider = 2 ** Math.ceil(Math.log2(segmentBytes));
  return wider > segmentBytes && wider <= maximumSegmentBytes ? wider : null;
}

export function checkBytes(what: string, bytes: number): void {
  if (Number.isSafeInteger(bytes) && bytes > 0 && bytes <= maximumSegmentBytes) return;
  throw new NautilusError({
    code: 'invalid_size',
    message: `${what}: must be a whole number of bytes from 1 to ${maximumSegmentBytes}, found ${bytes}`,
  });
}

/** Checked before a segment is leased for the block. */
export function checkAlignment(alignment: number | undefined): void {
  if (alignment === undefined) return;
  const isPower = Number.isInteger(alignment) && alignment > 0 && (alignment & (alignment - 1)) === 0;
  if (isPower && alignment <= maximumAlignment) return;
  throw new NautilusError({
    code: 'invalid_request',
    message: `alignment: must be a power of two from 1 to ${maximumAlignment}, found ${alignment}`,
  });
}
