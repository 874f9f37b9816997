/** A region that works on plain memory because its device is missing or was lost (SPEC O5): slower, and no data is hurt. */
import type { AgentSample, RegionDevice } from '@nautilus/contracts';
import type { SampleSignal } from './signal.ts';

/** Steps of a ladder of three: as wanted, missing since the start, lost while in use. */
const severity: Record<RegionDevice['state'], number> = { 'as-wanted': 0, missing: 0.5, lost: 1 };

/** Alerts are read by people: a driver's message may be long. */
const longestReason = 300;

export const deviceFallbackSignal: SampleSignal = {
  name: 'device-fallback',
  summary: 'A region works on plain memory, because its device is missing or was lost.',
  on: 'sample',
  read: (sample: AgentSample) =>
    sample.regions.flatMap(({ name, device }) =>
      device === undefined
        ? []
        : [
            {
              scope: { kind: 'region' as const, name },
              value: severity[device.state],
              used: severity[device.state],
              limit: 1,
              note: explain(device),
            },
          ],
    ),
  ladder: (settings) => ({
    steps: { info: severity.missing, critical: severity.lost },
    gap: 0.25,
    // A lost device does not come back by waiting, so nothing is gained by it.
    raiseHoldMs: 0,
    clearHoldMs: settings.stateClearHoldMs,
    longestGapMs: settings.silenceMs,
  }),
  describe({ scope, note }, { state }) {
    if (state === 'cleared') return `Region ${scope.name} works with its device again. Nothing to do.`;
    return (
      `Region ${scope.name} lacks its device: ${note ?? 'it is gone'}. ` +
      'Containers keep their segments and their data; what the device did is done without it, slower. ' +
      'Mend the device or its driver and restart the agent.'
    );
  },
};

function explain({ wanted, device, reason }: RegionDevice): string {
  const instead = device === 'host' ? 'plain memory and the processor' : device;
  return `${wanted} is wanted, but ${reason ?? 'it is not there'}; it works on ${instead}`.slice(
    0,
    longestReason,
  );
}
