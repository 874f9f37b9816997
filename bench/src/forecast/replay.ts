/** A recording walked sample by sample: what each forecaster said of the next minutes, and what came. */
import { advanceForecast, emptyForecast, readForecast } from '@nautilus/monitor';
import type { Series } from '../series/series.ts';
import { peers } from './peers.ts';

export const horizonsMs = [600_000, 3_600_000] as const;
export const ours = 'Nautilus';
/** The learned one at the moments at which the histogram speaks too: only there may they be compared. */
export const learnedBeside = 'model learned, where histogram speaks';
/** Forecasts are judged at every fifth sample; a sample half a minute off the end still counts. */
const originEvery = 5;
const slackMs = 30_000;
/** A window with a hole at its end was not seen. */
const longestStepMs = 180_000;

export interface Answer {
  readonly p95: number;
  /** NaN of a model that says no point. */
  readonly point: number;
}
export interface Outcome {
  readonly peak: number;
  readonly end: number;
}

/** Scores of one forecaster on one series at one horizon. */
export interface SeriesScore {
  windows: number;
  covered: number;
  pinball: number;
  pointError: number;
}

/** By horizon, by forecaster. */
export type ScoreOf = readonly ReadonlyMap<string, SeriesScore>[];

export function replaySeries(series: Series): ScoreOf {
  const scores = horizonsMs.map(() => new Map<string, SeriesScore>());
  const outcomes = horizonsMs.map((horizonMs) =>
    series.atMs.map((_, index) => outcomeOf(series, index, horizonMs)),
  );
  const rises: number[][] = horizonsMs.map(() => []);
  const judged = horizonsMs.map(() => 0);
  let state = emptyForecast;
  for (const [index, at] of series.atMs.entries()) {
    const value = series.demand[index] ?? 0;
    state = advanceForecast(state, { at, value, limit: 1 });
    const said = index % originEvery === originEvery - 1 ? readForecast(state, at) : null;
    for (const [which, horizonMs] of horizonsMs.entries()) {
      for (let next = judged[which] ?? 0; (series.atMs[next] ?? at) <= at - horizonMs; next += 1) {
        const over = outcomes[which]?.[next];
        if (over) rises[which]?.push(over.peak - (series.demand[next] ?? 0));
        judged[which] = next + 1;
      }
      const outcome = outcomes[which]?.[index];
      const forecast = said?.horizons[which];
      const into = scores[which];
      if (!outcome || forecast === undefined || into === undefined) continue;
      add(into, ours, forecast, outcome);
      const past = {
        atMs: series.atMs.slice(0, index + 1),
        demand: series.demand.slice(0, index + 1),
        rises: rises[which] ?? [],
      };
      for (const [name, peer] of peers) add(into, name, peer(past, horizonMs), outcome);
      const latest = state.horizons[which]?.pending.at(-1);
      if (latest?.at !== at) continue;
      for (const [name, quantiles] of Object.entries(latest.models)) {
        add(into, `model ${name}`, { p95: quantiles[2] ?? 0, point: Number.NaN }, outcome);
      }
      const learned = latest.models.histogram === undefined ? undefined : latest.models.learned;
      if (learned !== undefined) {
        add(into, learnedBeside, { p95: learned[2] ?? 0, point: Number.NaN }, outcome);
      }
      add(into, `speaks: ${forecast.model}`, forecast, outcome);
    }
  }
  return scores;
}

/** Null where the recording does not reach, or has a hole. */
export function outcomeOf({ atMs, demand }: Series, index: number, horizonMs: number): Outcome | null {
  const from = atMs[index] ?? 0;
  let [peak, end] = [Number.NEGATIVE_INFINITY, Number.NaN];
  for (let next = index + 1; next < atMs.length; next += 1) {
    const at = atMs[next] ?? 0;
    if (at > from + horizonMs + slackMs) return Number.isFinite(peak) ? { peak, end } : null;
    if (at - (atMs[next - 1] ?? at) > longestStepMs) return null;
    end = demand[next] ?? Number.NaN;
    peak = Math.max(peak, end);
  }
  return null;
}

export function add(into: Map<string, SeriesScore>, name: string, said: Answer, came: Outcome): void {
  const score = into.get(name) ?? { windows: 0, covered: 0, pinball: 0, pointError: 0 };
  score.windows += 1;
  score.covered += came.peak <= said.p95 ? 1 : 0;
  const above = came.peak - said.p95;
  score.pinball += above >= 0 ? 0.95 * above : -0.05 * above;
  score.pointError += Math.abs(said.point - came.end);
  into.set(name, score);
}
