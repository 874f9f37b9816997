/** What a forecast remembers of one series: bounded plain JSON, so that it is its own checkpoint. */
import type { Rises } from './rises.ts';

export interface ForecastObservation {
  /** Unix ms. */
  readonly at: number;
  /** In the unit of the limit, best in bytes: a share jumps when its limit does. NaN when it was not measured. */
  readonly value: number;
  readonly limit?: number;
  /** Start of what is measured (a container's); when it changes, the level before says nothing any more. */
  readonly bornAt?: number;
}

/** A minute, or one sample where samples are rarer. */
export interface Step {
  readonly at: number;
  readonly last: number;
  readonly peak: number;
}

export const levels = [0.5, 0.9, 0.95, 0.99] as const;
/** One value a level. */
export type Quantiles = readonly number[];

export const modelNames = ['no-change', 'histogram', 'median', 'trend', 'seasonal', 'learned'] as const;
export type ModelName = (typeof modelNames)[number];
export const pointNames = ['last', 'median', 'blend', 'trend'] as const;
export type PointName = (typeof pointNames)[number];

/** Something said that time has not judged yet. */
export interface Pending {
  readonly at: number;
  readonly value: number;
  /** Of what was seen since; null before the first value. */
  readonly peak: number | null;
  readonly models: Readonly<Partial<Record<ModelName, Quantiles>>>;
  readonly spoken: Quantiles | null;
  readonly points: Readonly<Record<PointName, number>>;
  /** Centres that the histograms are measured from. */
  readonly centres: Readonly<Record<CentreName, number>>;
}

export const centreNames = ['histogram', 'median', 'trend'] as const;
export type CentreName = (typeof centreNames)[number];

/** A mean whose older terms fade. */
export interface Fading {
  readonly sum: number;
  readonly weight: number;
}

export interface HorizonState {
  readonly pending: readonly Pending[];
  readonly rises: Readonly<Record<CentreName, Rises>>;
  /** Pinball loss over all levels, and of "no change" over the same windows. */
  readonly losses: Readonly<Partial<Record<ModelName, { readonly own: Fading; readonly idle: Fading }>>>;
  readonly pointLosses: Readonly<Record<PointName, Fading>>;
  /** What is added to each level, so that it holds as often as it says (share of the unit). */
  readonly offsets: Quantiles;
  /** Of P95 as spoken. */
  readonly covered: Fading;
  readonly spokenLoss: Fading;
  readonly idleLoss: Fading;
}

export interface ForecastState {
  /** What shares are taken of: the first limit known, for good, so that another limit moves nothing. */
  readonly unit: number | null;
  readonly limit: number | null;
  readonly bornAt: number | null;
  readonly steps: readonly Step[];
  readonly seenAt: number | null;
  readonly observedMs: number;
  readonly maximum: number | null;
  /** Peaks of the quarters of an hour of the last day, by number since the epoch. */
  readonly quarters: readonly { readonly quarter: number; readonly peak: number }[];
  /** In the order of `horizonsMs`. */
  readonly horizons: readonly HorizonState[];
}

export const minuteMs = 60_000;
export const quarterMs = 15 * minuteMs;
export const horizonsMs = [10 * minuteMs, 60 * minuteMs] as const;
/** Readings further apart say nothing of the time between them. */
export const longestGapMs = 3 * minuteMs;

const nothing: Fading = { sum: 0, weight: 0 };
export const fade = ({ sum, weight }: Fading, value: number, keep: number): Fading => ({
  sum: sum * keep + value,
  weight: weight * keep + 1,
});
export const meanOf = ({ sum, weight }: Fading): number | null => (weight > 0 ? sum / weight : null);

export function noForecast(noRises: Rises): ForecastState {
  const horizon: HorizonState = {
    pending: [],
    rises: { histogram: noRises, median: noRises, trend: noRises },
    losses: {},
    pointLosses: { last: nothing, median: nothing, blend: nothing, trend: nothing },
    offsets: levels.map(() => 0),
    covered: nothing,
    spokenLoss: nothing,
    idleLoss: nothing,
  };
  return {
    unit: null,
    limit: null,
    bornAt: null,
    steps: [],
    seenAt: null,
    observedMs: 0,
    maximum: null,
    quarters: [],
    horizons: horizonsMs.map(() => horizon),
  };
}
export const noFading = nothing;
