/** Tries again while the agent or NATS is away: a restart of either must look like a slow answer, not like a fault. */
import { type ErrorCode, NautilusError } from '@nautilus/contracts';
import { pause, throwIfCancelled } from './cancellation.ts';
import { backoffMs, type Timing } from './timing.ts';

/** Nobody was there, or not ready. Other codes that allow a retry (`over_budget`) need someone to act first. */
const awayCodes: ReadonlySet<ErrorCode> = new Set([
  'unavailable',
  'timeout',
  'not_ready',
  'draining',
  'overloaded',
  'deadline_exceeded',
]);

export function isAway(error: unknown): boolean {
  return error instanceof NautilusError && awayCodes.has(error.code);
}

export interface Patience {
  readonly timing: Timing;
  readonly patienceMs: number;
  readonly signal: AbortSignal;
}

/** The first outcome that is not "away". Out of patience, it is the last "away" with the time that passed. */
export async function persist<T>(
  doing: string,
  attempt: () => Promise<T>,
  { timing, patienceMs, signal }: Patience,
): Promise<T> {
  const startedAt = timing.monotonic();
  for (let tries = 0; ; tries += 1) {
    throwIfCancelled(doing, signal);
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof NautilusError) || !isAway(error)) throw error;
      const waitMs = backoffMs(tries, timing);
      const passedMs = timing.monotonic() - startedAt;
      if (passedMs + waitMs > patienceMs) throw outOfPatience(doing, error, tries + 1, passedMs);
      await pause(waitMs, doing, signal);
    }
  }
}

function outOfPatience(doing: string, last: NautilusError, tries: number, passedMs: number): NautilusError {
  return new NautilusError(
    {
      code: last.code,
      message: `${doing}: gave up after ${tries} attempts in ${Math.round(passedMs)} ms: ${last.message}`,
      details: last.details,
    },
    { cause: last },
  );
}
