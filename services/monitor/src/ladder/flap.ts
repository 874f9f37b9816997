/** What flaps stays raised: each return soon after a tier was left doubles the time that the next clearing takes. */
import type { FlapSettings, LadderSettings, LadderState } from './ladder.ts';

export type Flapping = Pick<LadderState, 'flaps' | 'leftMs'>;

/** 2^20 times any hold is longer than any cap; more would only grow the number. */
const mostFlaps = 20;

/** Time that was seen passes; a hole between samples is neither calm nor flapping. */
export function passed(
  { flaps, leftMs }: Flapping,
  seenMs: number,
  flap: FlapSettings | undefined,
): Flapping {
  if (leftMs === null || flap === undefined) return { flaps, leftMs };
  const now = leftMs + seenMs;
  return now >= flap.withinMs ? { flaps: 0, leftMs: null } : { flaps, leftMs: now };
}

/** A tier was raised. */
export function returned({ flaps, leftMs }: Flapping, flap: FlapSettings | undefined): Flapping {
  if (flap === undefined || leftMs === null) return { flaps, leftMs };
  return { flaps: Math.min(mostFlaps, flaps + 1), leftMs: null };
}

/** A tier was lowered or cleared. */
export function left({ flaps }: Flapping): Flapping {
  return { flaps, leftMs: 0 };
}

export function clearHoldOf({ clearHoldMs, flap }: LadderSettings, { flaps }: Flapping): number {
  if (flap === undefined) return clearHoldMs;
  return Math.max(clearHoldMs, Math.min(flap.longestClearHoldMs, clearHoldMs * 2 ** flaps));
}
