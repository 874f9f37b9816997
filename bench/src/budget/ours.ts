/** The orchestrator's own policy in the replay: the code that runs in production, with its shipped numbers. */
import {
  decideLimit,
  defaultTuning,
  type LimitSettings,
  type LimitState,
  type LimitTuning,
} from '@nautilus/orchestrator';
import { containerBytes, type ReplayPolicy } from './replay.ts';

export function nautilus(
  policy: LimitSettings['policy'] = 'adaptive',
  tuning: LimitTuning = defaultTuning,
): ReplayPolicy {
  const settings: LimitSettings = {
    minimumBytes: 0,
    maximumBytes: containerBytes,
    policy,
    resize: 'any-time',
    tuning,
  };
  return {
    name: `Nautilus, ${policy}`,
    begin: () => {
      let state: LimitState | null = null;
      return (observation) => {
        const decision = decideLimit(state, observation, settings, observation.at);
        state = decision.state;
        return decision.limitBytes;
      };
    },
  };
}
