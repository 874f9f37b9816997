/** Takes one observation into the state: clock, history, scars, and who moved the limit. Decides nothing. */
import { granuleBytes } from '../plan/granule.ts';
import { firstHistory, remember } from './history.ts';
import { scarAfter } from './scar.ts';
import type { LimitObservation, LimitState, LimitTuning } from './types.ts';

export function advance(
  old: LimitState | null,
  observation: LimitObservation,
  tuning: LimitTuning,
): LimitState {
  const { at, limitBytes, controllerRestarted } = observation;
  if (old === null) {
    return {
      at,
      observedMs: 0,
      limitBytes,
      changedAtMs: 0,
      foreign: false,
      history: firstHistory(observation),
      scar: scarAfter(null, observation, 0, tuning),
      quietSteps: controllerRestarted ? tuning.quietSteps : 0,
    };
  }
  const passedMs = at - old.at;
  const elapsedMs = Math.min(Math.max(0, passedMs), tuning.mostGapMs);
  const observedMs = old.observedMs + elapsedMs;
  // The kernel rounds a limit to whole pages, which is no change by anybody.
  const foreign = Math.abs(limitBytes - old.limitBytes) >= granuleBytes;
  const lostSight = passedMs > tuning.mostGapMs || passedMs < 0;
  return {
    at,
    observedMs,
    limitBytes,
    changedAtMs: foreign || lostSight ? observedMs : old.changedAtMs,
    foreign: foreign || old.foreign,
    history: remember(old.history, observation, observedMs, tuning),
    scar: scarAfter(old.scar, observation, observedMs, tuning),
    quietSteps: controllerRestarted ? tuning.quietSteps : old.quietSteps,
  };
}
