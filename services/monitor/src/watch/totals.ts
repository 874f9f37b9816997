/**
 * Counters that outlive their source: an agent counts from its start, the host's kernel from its boot, and an exported
 * `_total` must never fall because one of them began anew.
 */
import type { AgentSample } from '@nautilus/contracts';

export interface Totals {
  /** By path. */
  readonly zeroCopyOperations: Readonly<Record<string, number>>;
  /** Null where the host has no PSI. */
  readonly stallSomeUs: number | null;
  readonly stallFullUs: number | null;
}

export const noTotals: Totals = { zeroCopyOperations: {}, stallSomeUs: null, stallFullUs: null };

/** What a count grew by; one that fell, or whose source is another one, began at zero again. */
function growth(before: number, now: number, isSameSource: boolean): number {
  return isSameSource && now >= before ? now - before : now;
}

function addCount(
  total: number | null,
  before: number | null | undefined,
  now: number | null,
): number | null {
  if (now === null) return total;
  return (total ?? 0) + growth(before ?? 0, now, true);
}

export function addTotals(totals: Totals, before: AgentSample | null, now: AgentSample): Totals {
  const isSameAgent = before?.instance === now.instance;
  const zeroCopyOperations: Record<string, number> = { ...totals.zeroCopyOperations };
  for (const [path, count] of Object.entries(now.counters.zeroCopyOperations)) {
    const previous = before?.counters.zeroCopyOperations[path] ?? 0;
    zeroCopyOperations[path] = (zeroCopyOperations[path] ?? 0) + growth(previous, count, isSameAgent);
  }
  // The kernel counts on when an agent restarts; only a boot sets it back.
  return {
    zeroCopyOperations,
    stallSomeUs: addCount(totals.stallSomeUs, before?.memory.psiSomeTotalUs, now.memory.psiSomeTotalUs),
    stallFullUs: addCount(totals.stallFullUs, before?.memory.psiFullTotalUs, now.memory.psiFullTotalUs),
  };
}
