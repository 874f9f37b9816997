/**
 * What the forecast adds to a budget. It only ever holds one up: the remembered peak was measured against recorded
 * containers, and a forecast that is too low must not take away what happened before.
 */
import type { ContainerForecast, Policy } from '@nautilus/contracts';

/** A monitor that died leaves its last word in the bucket. */
const freshMs = 120_000;
/** A forecast that was scored and holds less often than this is not followed. */
const leastCoverage = 0.9;

export interface Outlook {
  /** The largest P95 of a peak within the horizons; 0 when nothing is to be followed. */
  readonly peakBytes: number;
  readonly horizonMs: number;
}

const none: Outlook = { peakBytes: 0, horizonMs: 0 };

export function outlookOf(forecast: ContainerForecast | undefined, policy: Policy, now: number): Outlook {
  if (policy === 'guaranteed' || forecast === undefined || forecast.state !== 'live') return none;
  if (Math.abs(now - forecast.at) > freshMs) return none;
  return forecast.horizons.reduce(
    (most, { horizonMs, p95, coverage }) =>
      p95 > most.peakBytes && (coverage === null || coverage >= leastCoverage)
        ? { peakBytes: p95, horizonMs }
        : most,
    none,
  );
}
