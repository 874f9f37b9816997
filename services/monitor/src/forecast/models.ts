/** The models that compete: each says the quantiles of the peak over a horizon, or nothing while it knows too little. */
import { learnedRises } from './learned.ts';
import { quantileOfRises } from './rises.ts';
import {
  type CentreName,
  centreNames,
  type ForecastState,
  levels,
  type ModelName,
  type PointName,
  type Quantiles,
  quarterMs,
} from './state.ts';
import type { WindowFigures } from './window.ts';

export interface Said {
  readonly models: Partial<Record<ModelName, Quantiles>>;
  readonly points: Record<PointName, number>;
  readonly centres: Record<CentreName, number>;
}

/** A slope halves its say in this time (a damped trend: Gardner and McKenzie 1985). */
const dampingMs = 20 * 60_000;
/** Judged windows without which a histogram is a guess. */
const leastWeight = 20;

export function sayAll(
  state: ForecastState,
  index: number,
  horizonMs: number,
  figures: WindowFigures,
  unit: number,
): Said {
  const { value, median, slope } = figures;
  const damped = value + (slope * dampingMs * (1 - 2 ** (-horizonMs / dampingMs))) / Math.LN2;
  const trend = Math.min(Math.max(0, damped), state.limit ?? Number.POSITIVE_INFINITY);
  const points = { last: value, median, blend: figures.blend, trend };
  const centres = { histogram: value, median, trend };
  const models: Partial<Record<ModelName, Quantiles>> = { 'no-change': levels.map(() => value) };
  const horizon = state.horizons[index];
  if (horizon === undefined) return { models, points, centres };
  for (const name of centreNames) {
    const rises = horizon.rises[name];
    if (rises.total < leastWeight) continue;
    models[name] = levels.map((level) => centres[name] + unit * (quantileOfRises(rises, level) ?? 0));
  }
  const own = levels.map((level) => quantileOfRises(horizon.rises.histogram, level));
  models.learned = learnedRises(index, figures, unit, own, horizon.rises.histogram.total).map(
    (rise) => value + unit * rise,
  );
  const peak = yesterday(state, horizonMs);
  const spread = models.histogram;
  if (peak !== null && spread !== undefined) {
    const middle = spread[0] ?? value;
    models.seasonal = spread.map((one) => peak + one - middle);
  }
  return { models, points, centres };
}

/** The peak of the same time yesterday, moved by how much higher today is; null until a day is known. */
function yesterday(state: ForecastState, horizonMs: number): number | null {
  const at = state.steps.at(-1)?.at ?? 0;
  const now = Math.floor(at / quarterMs);
  const peaks = new Map(state.quarters.map(({ quarter, peak }) => [quarter, peak]));
  const [then, today] = [peaks.get(now - 96), peaks.get(now)];
  if (then === undefined || today === undefined) return null;
  let most = Number.NEGATIVE_INFINITY;
  for (let quarter = now; quarter <= Math.floor((at + horizonMs) / quarterMs); quarter += 1) {
    const peak = peaks.get(quarter - 96);
    if (peak === undefined) return null;
    most = Math.max(most, peak);
  }
  return today + most - then;
}
