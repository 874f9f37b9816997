/** What the planner needs of the configuration. */
import type { Config } from '@nautilus/contracts';
import { defaultTuning } from './limits/tuning.ts';
import type { PlanPolicy } from './plan/types.ts';

export function planPolicy(config: Config['orchestrator']): PlanPolicy {
  return {
    headroom: config.headroom,
    deadBand: config.dead_band,
    staleAfterMs: config.stale_after,
    // Half an interval: longer than a container takes to ask again, and surely over at the second round after a change.
    settleMs: config.interval / 2,
    idleReserve: 0.1,
    tuning: { ...defaultTuning, staleAfterMs: config.stale_after },
  };
}
