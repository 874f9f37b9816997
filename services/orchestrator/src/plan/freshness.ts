/** Says why an observation is too old to plan from, or null. A clock that is ahead would make it look fresh for ever. */
import type { PlanPolicy } from './types.ts';

export function freshness(
  what: string,
  at: number,
  { staleAfterMs }: PlanPolicy,
  now: number,
): string | null {
  const ageMs = now - at;
  if (ageMs > staleAfterMs) {
    return `${what} was last reported ${seconds(ageMs)} ago, longer than ${seconds(staleAfterMs)}`;
  }
  if (-ageMs > staleAfterMs) {
    return `${what} was reported ${seconds(-ageMs)} ahead of this clock; the clocks of the machines differ`;
  }
  return null;
}

function seconds(durationMs: number): string {
  return `${Math.round(durationMs / 100) / 10}s`;
}
