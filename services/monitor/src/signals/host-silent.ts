/** An agent that stopped sending: nothing is known of its host, which is worse than a high figure. */
import { formatDuration } from '@nautilus/contracts';
import type { SilenceSignal } from './signal.ts';

const seconds = (durationMs: number) => `${Number((durationMs / 1_000).toFixed(1))}s`;

/** Far below the step, so that an agent that limps at the limit is one incident and not many. */
const gap = 0.5;

export const hostSilentSignal: SilenceSignal = {
  name: 'host-silent',
  summary: 'The agent of a host has sent no sample for more than five sample intervals.',
  on: 'silence',
  /** The value is the part of the allowed silence that is used up. */
  read: ({ host, silentMs, allowedMs }) => [
    {
      scope: { kind: 'host', name: host },
      value: Math.min(1, silentMs / allowedMs),
      used: silentMs,
      limit: allowedMs,
    },
  ],
  ladder: (settings) => ({
    steps: { critical: 1 },
    gap,
    // The silence itself is the hold.
    raiseHoldMs: 0,
    clearHoldMs: settings.stateClearHoldMs,
    longestGapMs: settings.silenceMs,
  }),
  describe({ scope, used, limit }, { state }, settings) {
    if (state === 'cleared') {
      return `The agent of host ${scope.name} sends samples again, for ${formatDuration(settings.stateClearHoldMs)} now. Nothing to do.`;
    }
    return (
      `No sample of host ${scope.name} for ${seconds(used)}, ${seconds(limit)} are allowed. ` +
      'Its series are gone, its alerts stand still. Containers keep what they hold; check the agent and its link to NATS.'
    );
  },
};
