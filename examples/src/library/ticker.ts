/**
 * Work at a steady pace, one turn after the other. A turn that took too long costs the ticks it missed: a burst to catch
 * up would take the machine from the others.
 */
import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves when the signal is aborted, after the turn that is running. */
export async function every(
  intervalMs: number,
  signal: AbortSignal,
  turn: () => void | Promise<void>,
): Promise<void> {
  let next = performance.now();
  while (!signal.aborted) {
    await turn();
    const now = performance.now();
    next = Math.max(next + intervalMs, now);
    await pause(next - now, signal);
  }
}

/** The same, but the first turn comes one interval later. */
export async function afterEvery(
  intervalMs: number,
  signal: AbortSignal,
  turn: () => void | Promise<void>,
): Promise<void> {
  await pause(intervalMs, signal);
  await every(intervalMs, signal, turn);
}

/** Resolves after that time, or as soon as the signal is aborted. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  try {
    await sleep(milliseconds, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
