/** What a forecast says now, who says it, and how far it may be trusted. */
import { leastSteps } from './advance.ts';
import { sayAll } from './models.ts';
import { pointSpeaker, speaker, spokenBy } from './speak.ts';
import {
  type ForecastState,
  horizonsMs,
  longestGapMs,
  type ModelName,
  meanOf,
  type PointName,
} from './state.ts';
import { figuresOf, type WindowFigures } from './window.ts';

export interface HorizonForecast {
  readonly horizonMs: number;
  /** Quantiles of the peak until then, in the unit of the values. */
  readonly p50: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  /** The value at the end of the horizon, and who says so. */
  readonly point: number;
  readonly pointModel: PointName;
  readonly model: ModelName;
  /** How often the P95 held, lately; null before the first was judged. */
  readonly coverage: number | null;
  /** Mean pinball loss of the four quantiles, lately, in the unit of the values. */
  readonly pinball: number | null;
  /** 1 - loss ÷ that of "no change"; below 0 it does harm. */
  readonly skill: number | null;
}

export interface Forecast {
  readonly state: 'cold' | 'warming' | 'live';
  readonly reason: string;
  readonly horizons: readonly HorizonForecast[];
  /** At the slope of the last hour; null without a limit, a rise, or a trend that proved itself. */
  readonly timeToLimitMs: number | null;
  /** The highest value ever seen: what planners take until the forecast is live. */
  readonly maximumSeen: number | null;
}

const dayMs = 86_400_000;
/** Further off, a slope of an hour says nothing. */
const furthestMs = dayMs;

export function readForecast(state: ForecastState, now: number): Forecast {
  const { unit, seenAt, maximum } = state;
  const cold = (reason: string): Forecast => ({
    state: 'cold',
    reason,
    horizons: [],
    timeToLimitMs: null,
    maximumSeen: maximum,
  });
  if (unit === null || seenAt === null) return cold('nothing was seen yet');
  if (now - seenAt > longestGapMs) {
    return cold(`the last value is ${Math.round((now - seenAt) / 1000)} s old`);
  }
  const figures = figuresOf(state.steps);
  if (figures === null || state.steps.length < leastSteps) {
    return cold(`${state.steps.length} minutes were seen without a gap; ${leastSteps} are needed`);
  }
  const horizons = horizonsMs.flatMap((horizonMs, index): HorizonForecast[] => {
    const horizon = state.horizons[index];
    if (horizon === undefined) return [];
    const said = sayAll(state, index, horizonMs, figures, unit);
    const [model, pointModel] = [speaker(horizon, said), pointSpeaker(horizon)];
    const [p50 = 0, p90 = 0, p95 = 0, p99 = 0] = spokenBy(model, said, horizon.offsets, unit, state.limit);
    const [own, idle] = [meanOf(horizon.spokenLoss), meanOf(horizon.idleLoss)];
    return [
      {
        horizonMs,
        p50,
        p90,
        p95,
        p99,
        point: said.points[pointModel],
        pointModel,
        model,
        coverage: meanOf(horizon.covered),
        pinball: own === null ? null : own * unit,
        skill: own === null || idle === null || idle === 0 ? null : 1 - own / idle,
      },
    ];
  });
  const hours = state.observedMs / 3_600_000;
  const isLive = state.observedMs >= dayMs;
  return {
    state: isLive ? 'live' : 'warming',
    reason: isLive
      ? `${hours.toFixed(0)} h were seen`
      : `${hours.toFixed(1)} of 24 h were seen: plan with the maximum`,
    horizons,
    timeToLimitMs: timeToLimit(state, figures),
    maximumSeen: maximum,
  };
}

function timeToLimit(state: ForecastState, { slope, value }: WindowFigures): number | null {
  const hour = state.horizons.at(-1);
  if (state.limit === null || hour === undefined) return null;
  if (value >= state.limit) return 0;
  const [trend, last] = [meanOf(hour.pointLosses.trend), meanOf(hour.pointLosses.last)];
  if (slope <= 0 || trend === null || last === null || trend >= last) return null;
  const timeMs = (state.limit - value) / slope;
  return timeMs <= furthestMs ? timeMs : null;
}
