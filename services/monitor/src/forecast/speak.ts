/** Who speaks: the model that lost least, never one that loses to "no change". */
import type { Said } from './models.ts';
import {
  type HorizonState,
  type ModelName,
  meanOf,
  modelNames,
  type PointName,
  pointNames,
  type Quantiles,
} from './state.ts';

/** Judged windows before a score counts. */
const leastJudged = 20;
/** A calm hour is no proof that nothing moves: "no change" itself needs longer. */
const leastIdleJudged = 60;
/** Another model must lose this much less than the first speaker to take its place: scores of hours are noisy. */
const clearlyLess = 0.8;

/** The learned one speaks first, because it alone knows other series. */
export function speaker(state: HorizonState, said: Said): ModelName {
  let best: ModelName = 'learned';
  let least = ratioOf(state, 'learned');
  for (const name of modelNames) {
    if (name === 'learned' || said.models[name] === undefined) continue;
    const ratio = name === 'no-change' ? idleRatio(state) : ratioOf(state, name);
    if (ratio !== null && least !== null && ratio < least * (name === 'no-change' ? 1 : clearlyLess)) {
      [best, least] = [name, ratio];
    }
  }
  return best;
}

const idleRatio = (state: HorizonState) =>
  (state.losses['no-change']?.own.weight ?? 0) < leastIdleJudged ? null : 1;

/** Loss ÷ that of "no change" over the same windows; null while too few were judged. */
function ratioOf(state: HorizonState, name: ModelName): number | null {
  const losses = state.losses[name];
  if (losses === undefined || losses.own.weight < leastJudged) return null;
  if (losses.idle.sum > 0) return losses.own.sum / losses.idle.sum;
  // Nothing ever moved: whoever lost at all lost to "no change".
  return losses.own.sum > 0 ? Number.POSITIVE_INFINITY : 1;
}

export function pointSpeaker(state: HorizonState): PointName {
  let best: PointName = 'blend';
  if (state.pointLosses.blend.weight < leastJudged) return best;
  for (const name of pointNames) {
    const [own, least] = [meanOf(state.pointLosses[name]), meanOf(state.pointLosses[best])];
    if (own !== null && least !== null && own < least * clearlyLess) best = name;
  }
  return best;
}

/** Quantiles of the speaking model with their offsets; ascending, and within what is possible. */
export function spokenBy(
  model: ModelName,
  said: Said,
  offsets: Quantiles,
  unit: number,
  limit: number | null,
): Quantiles {
  let floor = 0;
  return (said.models[model] ?? []).map((one, index) => {
    const moved = one + unit * (offsets[index] ?? 0);
    floor = Math.max(floor, Math.min(moved, limit ?? Number.POSITIVE_INFINITY));
    return floor;
  });
}
