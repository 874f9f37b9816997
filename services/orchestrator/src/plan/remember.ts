/** What of a round is carried to the next one: the state of the limit policy as the host could follow it, and the counters. */
import type { RememberedContainer } from '@nautilus/contracts';
import type { Demand } from './demand.ts';

/** Null: the container is known by its leases alone, and nothing is remembered. */
export function rememberedAfter(demand: Demand, budgetBytes: number): RememberedContainer | null {
  const { limit, state } = demand;
  const { kernel } = state;
  if (limit === null || kernel === undefined) return null;
  const { decision } = limit;
  // What goes beyond its own want is borrowed; the policy must not take it for its own when it decides again.
  const loanBytes = demand.loanBytes > 0 ? Math.max(0, budgetBytes - demand.wantBytes) : 0;
  const ownBytes = budgetBytes - loanBytes;
  return {
    limit: {
      at: decision.state.at,
      observedMs: decision.state.observedMs,
      limitBytes: ownBytes,
      changedAtMs: ownBytes === decision.limitBytes ? decision.state.changedAtMs : decision.state.observedMs,
      foreign: decision.state.foreign,
      history: {
        ...decision.state.history,
        peaks: [...decision.state.history.peaks],
        rises: [...decision.state.history.rises],
      },
      scar: decision.state.scar,
      quietSteps: decision.state.quietSteps,
    },
    loanBytes,
    incarnation: kernel.incarnation,
    oomKills: kernel.oomKills,
    maxEvents: kernel.maxEvents,
    psiSomeTotalUs: kernel.psiSomeTotalUs,
  };
}
