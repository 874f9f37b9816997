/**
 * Memory of limits that hurt. The guard follows from what was used, never from the limit that an earlier guard had
 * raised: a container that is killed again and again would otherwise climb without end.
 */
import type { LimitObservation, LimitTuning, Scar } from './types.ts';

export function scarAfter(
  old: Scar | null,
  { oomKills, stalls, peakBytes }: LimitObservation,
  observedMs: number,
  tuning: LimitTuning,
): Scar | null {
  const remembered = old === null ? 0 : weightAt(old, observedMs, tuning);
  if (oomKills === 0 && stalls === 0) {
    return remembered < tuning.forgottenWeight ? null : old;
  }
  const bumped = Math.max(peakBytes * tuning.bump, peakBytes + tuning.bumpBytes);
  const weight = oomKills > 0 ? tuning.killWeight : tuning.stallWeight;
  return {
    guardBytes: remembered < tuning.forgottenWeight ? bumped : Math.max(old?.guardBytes ?? 0, bumped),
    // Bounded, so that a crash loop of an hour is not remembered for a year.
    weight: Math.min(remembered + weight, 8 * tuning.killWeight),
    atMs: observedMs,
  };
}

/** Halved once for each half-life that has wholly passed. */
function weightAt({ weight, atMs }: Scar, observedMs: number, { scarHalfLifeMs }: LimitTuning): number {
  return weight / 2 ** Math.floor((observedMs - atMs) / scarHalfLifeMs);
}
