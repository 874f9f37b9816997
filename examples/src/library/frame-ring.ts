/**
 * Makes the ring of frames and lets the readers in. The ring begins its segment, so that a reader who knows the segment
 * knows where to look.
 */
import { type RingShape, ringBytes } from './frame-layout.ts';
import { FrameWriter } from './frame-writer.ts';
import type { Memory, MemoryPool, Platform } from './platform.ts';
import { expectFault } from './report.ts';

/** 2 MiB of frames: 2.5 s at 200 frames a second, so that a reader may be late. */
export const ringShape: RingShape = { frameCount: 512, frameBytes: 4096 };
/** Of its own when the configuration has it: a grant shows the whole segment, so better nothing else lies in it. */
export const framesPool = 'frames';
const ringAlignment = 4096;
/** More segments than this, all with something at their start, is not bad luck. */
const mostTries = 64;

export interface FrameRing {
  readonly pool: MemoryPool;
  readonly block: Memory;
  readonly writer: FrameWriter;
}

/** From the pool of frames if there is one, else from `fallback`. */
export async function makeFrameRing(
  client: Platform,
  fallback: MemoryPool,
  signal: AbortSignal,
): Promise<FrameRing> {
  const bytes = ringBytes(ringShape);
  const pool = client.pool(framesPool, { segmentBytes: bytes });
  try {
    return ringOf(pool, await blockAtStart(pool, bytes, signal));
  } catch (error) {
    if (expectFault(error).code !== 'unknown_pool') throw error;
    return ringOf(fallback, await blockAtStart(fallback, bytes, signal));
  }
}

function ringOf(pool: MemoryPool, block: Memory): FrameRing {
  return { pool, block, writer: new FrameWriter(block.view(), ringShape) };
}

/** A block that begins its segment. Those that do not are held meanwhile, untouched, so that the search moves on. */
async function blockAtStart(pool: MemoryPool, bytes: number, signal: AbortSignal): Promise<Memory> {
  const misplaced: Memory[] = [];
  try {
    while (misplaced.length < mostTries) {
      const block = await pool.allocate(bytes, { alignment: ringAlignment, signal });
      if (block.offset === 0) return block;
      misplaced.push(block);
    }
  } finally {
    for (const block of misplaced) block.free();
  }
  throw new Error(`no segment with a free start in ${mostTries} tries for ${bytes} bytes`);
}
