/** One observation more: the window moves, what was said is judged, and new things are said, to be judged in their turn. */
import { sayAll } from './models.ts';
import { noRises } from './rises.ts';
import { judge } from './score.ts';
import { speaker, spokenBy } from './speak.ts';
import {
  type ForecastObservation,
  type ForecastState,
  type HorizonState,
  horizonsMs,
  longestGapMs,
  minuteMs,
  noForecast,
  type Pending,
  quarterMs,
} from './state.ts';
import { addStep, figuresOf, type WindowFigures } from './window.ts';

export const emptyForecast: ForecastState = noForecast(noRises);
/** Minutes between things said that are judged later, by horizon: windows of an hour overlap enough every five. */
const everyMinutes = [1, 5] as const;
const dayQuarters = 97;
/** Steps without which there is no window to speak from. */
export const leastSteps = 5;

/** A gap, a clock that went back or another birth cuts: nothing said before is judged by what came after. */
export function advanceForecast(state: ForecastState, seen: ForecastObservation): ForecastState {
  const limit = seen.limit !== undefined && seen.limit > 0 && Number.isFinite(seen.limit) ? seen.limit : null;
  if (!Number.isFinite(seen.at) || !Number.isFinite(seen.value) || seen.value < 0) return state;
  const elapsed = state.seenAt === null ? 0 : seen.at - state.seenAt;
  const bornAt = seen.bornAt ?? state.bornAt;
  const isCut = elapsed < 0 || elapsed > longestGapMs || (state.bornAt !== null && bornAt !== state.bornAt);
  const before = isCut ? cut(state) : state;
  const unit = state.unit ?? limit ?? (seen.value > 0 ? seen.value : null);
  const steps = addStep(before.steps, seen.at, seen.value);
  const next: ForecastState = {
    ...before,
    unit,
    limit,
    bornAt,
    steps,
    seenAt: seen.at,
    observedMs: before.observedMs + (isCut ? 0 : elapsed),
    maximum: Math.max(before.maximum ?? 0, seen.value),
    quarters: addQuarter(before.quarters, seen),
  };
  if (unit === null) return next;
  const isNewStep = steps.at(-1)?.at === seen.at;
  const figures = isNewStep && steps.length >= leastSteps ? figuresOf(steps) : null;
  const judged = { ...next, horizons: next.horizons.map((one, index) => judgeDue(one, index, seen, unit)) };
  if (figures === null) return judged;
  return {
    ...judged,
    horizons: judged.horizons.map((_, index) => say(judged, index, seen, figures, unit)),
  };
}

function cut(state: ForecastState): ForecastState {
  return { ...state, steps: [], horizons: state.horizons.map((one) => ({ ...one, pending: [] })) };
}

function judgeDue(state: HorizonState, index: number, seen: ForecastObservation, unit: number): HorizonState {
  const horizonMs = horizonsMs[index] ?? 0;
  let next = state;
  const open: Pending[] = [];
  for (const said of state.pending) {
    const one = { ...said, peak: Math.max(said.peak ?? seen.value, seen.value) };
    // A sample less than half a minute early ends the window: recorders are rarely exact.
    if (seen.at - said.at < horizonMs - minuteMs / 2) open.push(one);
    else next = judge(next, one, seen.value, unit, everyMinutes[index] ?? 1);
  }
  return { ...next, pending: open };
}

function say(
  state: ForecastState,
  index: number,
  seen: ForecastObservation,
  figures: WindowFigures,
  unit: number,
): HorizonState {
  const horizon = state.horizons[index] as HorizonState;
  const latest = horizon.pending.at(-1);
  const dueMs = (everyMinutes[index] ?? 1) * minuteMs - minuteMs / 2;
  if (latest !== undefined && seen.at - latest.at < dueMs) return horizon;
  const said = sayAll(state, index, horizonsMs[index] ?? 0, figures, unit);
  const spoken = spokenBy(speaker(horizon, said), said, horizon.offsets, unit, state.limit);
  const one: Pending = { at: seen.at, value: seen.value, peak: null, spoken, ...said };
  return { ...horizon, pending: [...horizon.pending, one] };
}

function addQuarter(
  quarters: ForecastState['quarters'],
  { at, value }: ForecastObservation,
): ForecastState['quarters'] {
  const quarter = Math.floor(at / quarterMs);
  const open = quarters.at(-1);
  if (open !== undefined && open.quarter === quarter) {
    if (value <= open.peak) return quarters;
    return [...quarters.slice(0, -1), { quarter, peak: value }];
  }
  const older = quarters.filter((one) => one.quarter < quarter);
  return [...older.slice(1 - dayQuarters), { quarter, peak: value }];
}
