/**
 * From what a container should have to what it gets now: up at once, down late and in steps, nothing for a small
 * difference, nothing while the picture is not to be trusted.
 */
import { roundUp } from '../plan/granule.ts';
import type { Target } from './target.ts';
import type { LimitObservation, LimitSettings, LimitState, LimitVerdict } from './types.ts';

export interface Move {
  readonly limitBytes: number;
  readonly verdict: LimitVerdict;
}

export function moveTo(
  target: Target,
  state: LimitState,
  observation: LimitObservation,
  settings: LimitSettings,
  now: number,
): Move {
  const { tuning, resize } = settings;
  const current = observation.limitBytes;
  const stay = (verdict: LimitVerdict): Move => ({ limitBytes: current, verdict });
  if (state.quietSteps > 0) return stay('controller-restarted');
  if (Math.abs(now - observation.at) > tuning.staleAfterMs) return stay('stale');
  if (resize === 'at-start' && !observation.started) return stay('contract');
  if (target.floorBytes > target.mostBytes) {
    return { limitBytes: Math.max(current, target.mostBytes), verdict: 'over-maximum' };
  }
  const cold = state.observedMs < tuning.coldStartMs;
  const wanted = cold ? target.mostBytes : target.targetBytes;
  if (wanted === current) return stay(cold ? 'cold-start' : 'steady');
  if (resize === 'at-start') return { limitBytes: wanted, verdict: wanted > current ? 'raise' : 'lower' };
  const cooling = state.observedMs - state.changedAtMs < tuning.coolDownMs;
  if (wanted > current) {
    const hurt = observation.oomKills > 0 || observation.stalls > 0;
    if (target.floorBytes > current || hurt || current < target.leastBytes) return raise();
    if (state.foreign && cooling) return stay('cool-down');
    return wanted - current < tuning.raiseBand * current ? stay('dead-band') : raise();
  }
  if (resize === 'grow-only' && !observation.started) return stay('contract');
  if (cooling) return stay('cool-down');
  if (current <= target.mostBytes && current - wanted < tuning.lowerBand * current) return stay('dead-band');
  return { limitBytes: Math.max(wanted, roundUp(current * (1 - tuning.mostCut))), verdict: 'lower' };

  function raise(): Move {
    return { limitBytes: wanted, verdict: cold ? 'cold-start' : 'raise' };
  }
}
