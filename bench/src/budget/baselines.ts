/**
 * The peers, as plain formulas over what they have seen. Each moves its limit only by more than a share of it, is cut
 * off at the container's maximum, and sees the same observations as the policy that is measured.
 */
import type { LimitObservation } from '@nautilus/orchestrator';
import { containerBytes, type ReplayPolicy, type Stepper } from './replay.ts';

/** Finer than any product's, so that none breaches because of it; it brings the numbers of changes to published ones. */
const deadBand = 0.02;
const hour = 3_600_000;

export const baselines: readonly ReplayPolicy[] = [
  // Recommender: target is P90 of peaks of 24 h plus 15 %, which within one day is its highest peak; after an OOM kill
  // the larger of usage × 1.2 and usage + 100 MiB counts as a peak.
  maximumSoFar('VPA-like: max so far × 1.15', 1.15),
  // Predictor: P98 of the usage histogram plus 10 %. Its decay of 24 h hardly shows within a day.
  banded('Koordinator-like: P98 + 10 %', () => quantileOf(0.98, 1.1)),
  banded('P90 + 15 %', () => quantileOf(0.9, 1.15)),
  banded('last + 10 %', () => (observation) => observation.peakBytes * 1.1),
  banded('max(1 h) + 10 %', () => maximumOf(hour, 1.1)),
  banded('max(6 h) + 15 %', () => maximumOf(6 * hour, 1.15)),
  banded('static: max of the first hour × 1.5', () => {
    let peak = 0;
    let startMs: number | null = null;
    return ({ at, peakBytes }) => {
      startMs ??= at;
      if (at - startMs <= hour) peak = Math.max(peak, peakBytes);
      return peak * 1.5;
    };
  }),
];

export function maximumSoFar(name: string, factor: number): ReplayPolicy {
  return banded(name, () => {
    let peak = 0;
    return (observation) => {
      peak = Math.max(peak, observation.peakBytes, afterKill(observation));
      return peak * factor;
    };
  });
}

function afterKill({ oomKills, peakBytes }: LimitObservation): number {
  return oomKills > 0 ? Math.max(peakBytes * 1.2, peakBytes + 100 * 1024 ** 2) : 0;
}

function quantileOf(share: number, factor: number): Stepper {
  const sorted: number[] = [];
  return ({ peakBytes }) => {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sorted[middle] ?? 0) < peakBytes) low = middle + 1;
      else high = middle;
    }
    sorted.splice(low, 0, peakBytes);
    return (sorted[Math.ceil(share * sorted.length) - 1] ?? peakBytes) * factor;
  };
}

function maximumOf(durationMs: number, factor: number): Stepper {
  let seen: { at: number; peakBytes: number }[] = [];
  return ({ at, peakBytes }) => {
    seen = seen.filter((one) => at - one.at < durationMs && one.peakBytes > peakBytes);
    seen.push({ at, peakBytes });
    return (seen[0]?.peakBytes ?? peakBytes) * factor;
  };
}

function banded(name: string, begin: () => Stepper): ReplayPolicy {
  return {
    name,
    begin: () => {
      const target = begin();
      return (observation) => {
        const wanted = Math.min(Math.ceil(target(observation)), containerBytes);
        const current = observation.limitBytes;
        return Math.abs(wanted - current) > deadBand * current ? wanted : current;
      };
    },
  };
}
