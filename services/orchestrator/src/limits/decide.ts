/**
 * The limit of one container, step by step. It reads nothing but its arguments, so the decisions stream replays into
 * the same limits bit by bit; what the host has room for is for the planner to say.
 */
import { advance } from './advance.ts';
import { moveTo } from './move.ts';
import { wordsFor } from './reason.ts';
import { targetOf } from './target.ts';
import type { LimitDecision, LimitObservation, LimitSettings, LimitState } from './types.ts';

/** `state` is null for a container that was never seen. `now` is the controller's clock, in Unix ms. */
export function decideLimit(
  state: LimitState | null,
  observation: LimitObservation,
  settings: LimitSettings,
  now: number,
): LimitDecision {
  const seen = advance(state, observation, settings.tuning);
  const target = targetOf(seen, observation, settings);
  const move = moveTo(target, seen, observation, settings, now);
  const changed = move.limitBytes !== observation.limitBytes;
  const numbers = {
    workingSetBytes: observation.workingSetBytes,
    peakBytes: target.peakBytes,
    observedMs: seen.observedMs,
    marginShare: target.marginShare,
    targetBytes: target.targetBytes,
    floorBytes: target.floorBytes,
    guardBytes: target.guardBytes,
    loanBytes: settings.policy === 'burstable' ? Math.max(0, target.mostBytes - move.limitBytes) : 0,
  };
  return {
    state: {
      at: seen.at,
      observedMs: seen.observedMs,
      limitBytes: move.limitBytes,
      changedAtMs: changed ? seen.observedMs : seen.changedAtMs,
      foreign: seen.foreign && !changed,
      history: seen.history,
      scar: seen.scar,
      quietSteps: Math.max(0, seen.quietSteps - 1),
    },
    limitBytes: move.limitBytes,
    reason: { verdict: move.verdict, words: wordsFor(move, numbers, observation, settings), numbers },
    changed,
  };
}
