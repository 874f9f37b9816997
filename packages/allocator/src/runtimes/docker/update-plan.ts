/**
 * The three memory settings that go into one update, always together. Pure. The engine compares a new Memory with the
 * stored MemorySwap as numbers, so that Memory alone fails against "unset" (0) and "unlimited" (-1) alike.
 */
import type { ByteLimit } from '../runtime.ts';
import type { UpdateBody } from './api.ts';

/** The engine refuses less. */
export const leastLimitBytes = 6 * 1024 * 1024;

export interface StoredSettings {
  readonly Memory: number;
  readonly MemorySwap: number;
  readonly MemoryReservation: number;
}

/**
 * `kernelSwapBytes`: what the cgroup allows of swap beside memory. With -1 the engine stores "unlimited" and leaves the
 * cgroup as it is; where that still has a limit, -1 again would hold memory below it, and the kernel says EINVAL.
 */
export function planUpdate(
  stored: StoredSettings,
  kernelSwapBytes: ByteLimit | null,
  limitBytes: number,
  lowBytes: number | null,
): UpdateBody {
  const wanted = lowBytes ?? Math.max(0, stored.MemoryReservation);
  return {
    Memory: limitBytes,
    MemorySwap: swapFor(stored, kernelSwapBytes, limitBytes),
    // 0 leaves the cgroup as it is, and the engine refuses what lies between 0 and its least.
    MemoryReservation: wanted === 0 ? 0 : Math.min(limitBytes, Math.max(leastLimitBytes, wanted)),
  };
}

/** Memory and swap together. The container keeps the bytes of swap it was given; none were given where nothing is set. */
function swapFor(
  { Memory, MemorySwap }: StoredSettings,
  kernelSwapBytes: ByteLimit | null,
  limitBytes: number,
): number {
  if (MemorySwap === -1) return typeof kernelSwapBytes === 'number' ? limitBytes + kernelSwapBytes : -1;
  return limitBytes + (Memory > 0 && MemorySwap > Memory ? MemorySwap - Memory : 0);
}
