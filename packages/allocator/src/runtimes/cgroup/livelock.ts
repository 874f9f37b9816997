/**
 * Finds a container that memory.high holds down for good: nothing can be reclaimed from it, so its tasks sleep again
 * and again, and no OOM kill ever ends it. Pure: two observations in, a verdict with its numbers out.
 */
import type { Observation } from '../runtime.ts';

export interface LivelockLook {
  /** Of the same clock for both looks. */
  readonly atMs: number;
  readonly observation: Observation;
}

export interface LivelockVerdict {
  /** Null: cannot be known, see the reason. */
  readonly livelocked: boolean | null;
  readonly highEventsPerSecond: number | null;
  /** Share of the time in which every task of the container stood still for memory. */
  readonly fullShare: number | null;
  readonly reason: string;
}

/** A throttled task sleeps up to 2 s between two events, so that even one stuck task makes about one in a second. */
const leastHighEventsPerSecond = 0.5;
/** A container that makes way by reclaiming stalls less: work is done between the stalls. */
const leastFullShare = 0.5;
/** Shorter, and one sleep of a throttled task fills it. */
export const leastWindowMs = 1_000;

export function judgeLivelock(before: LivelockLook, after: LivelockLook): LivelockVerdict {
  const windowMs = after.atMs - before.atMs;
  const unknown = (reason: string): LivelockVerdict => ({
    livelocked: null,
    highEventsPerSecond: null,
    fullShare: null,
    reason,
  });
  if (before.observation.container.incarnation !== after.observation.container.incarnation) {
    return unknown('the looks are of two different containers');
  }
  if (windowMs < leastWindowMs)
    return unknown(`a window of ${windowMs} ms is too short, ${leastWindowMs} are needed`);
  const { highEvents: eventsBefore, psi: psiBefore } = before.observation;
  const { highEvents, psi, missing } = after.observation;
  if (eventsBefore === null || highEvents === null) {
    return unknown(`high events are missing: ${missing['highEvents'] ?? 'not read before'}`);
  }
  if (psiBefore === null || psi === null)
    return unknown(`PSI is missing: ${missing['psi'] ?? 'not read before'}`);
  const highEventsPerSecond = ((highEvents - eventsBefore) * 1_000) / windowMs;
  const fullShare = (psi.fullTotalUs - psiBefore.fullTotalUs) / (windowMs * 1_000);
  const livelocked = highEventsPerSecond >= leastHighEventsPerSecond && fullShare >= leastFullShare;
  const numbers = `${highEventsPerSecond.toFixed(1)} high events/s, PSI full ${(fullShare * 100).toFixed(0)} %`;
  return {
    livelocked,
    highEventsPerSecond,
    fullShare,
    reason: livelocked ? `stands still at memory.high: ${numbers}` : `moves on: ${numbers}`,
  };
}
