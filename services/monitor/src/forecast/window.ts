/** The last hour of a series as figures: level, reach and slope. Everything in the unit of the series. */
import { minuteMs, type Step } from './state.ts';

export interface WindowFigures {
  readonly value: number;
  /** Of the last ten steps. */
  readonly median: number;
  /** Between the last value and its medians over 10, 20 and 30 steps: the point that lost least on the tuning half. */
  readonly blend: number;
  readonly low10: number;
  readonly high10: number;
  readonly low60: number;
  readonly high60: number;
  /** Mean size of a step. */
  readonly meanStep: number;
  /** Per ms (Theil 1950, Sen 1968), over the hour. */
  readonly slope: number;
}

export const mostSteps = 60;
/** Steps between the points that slopes are taken of: twelve points give 66 slopes. */
const slopeEvery = 5;
/** A step ends early by this: recorders are rarely exact. */
const slackMs = minuteMs / 12;

export function addStep(steps: readonly Step[], at: number, value: number): readonly Step[] {
  const open = steps.at(-1);
  if (open !== undefined && at - open.at < minuteMs - slackMs) {
    return [...steps.slice(0, -1), { at: open.at, last: value, peak: Math.max(open.peak, value) }];
  }
  return [...steps.slice(1 - mostSteps), { at, last: value, peak: value }];
}

export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : (high + (sorted[middle - 1] ?? high)) / 2;
}

export function figuresOf(steps: readonly Step[]): WindowFigures | null {
  const newest = steps.at(-1);
  if (newest === undefined) return null;
  const recent = steps.slice(-10);
  const lasts = recent.map((step) => step.last);
  let meanStep = 0;
  for (const [index, step] of steps.entries()) {
    if (index > 0) meanStep += Math.abs(step.last - (steps[index - 1]?.last ?? step.last));
  }
  return {
    value: newest.last,
    median: medianOf(lasts),
    blend:
      0.3 * newest.last +
      0.3 * medianOf(lasts) +
      0.2 * medianOf(steps.slice(-20).map((step) => step.last)) +
      0.2 * medianOf(steps.slice(-30).map((step) => step.last)),
    low10: Math.min(...lasts),
    high10: Math.max(...recent.map((step) => step.peak)),
    low60: Math.min(...steps.map((step) => step.last)),
    high60: Math.max(...steps.map((step) => step.peak)),
    meanStep: meanStep / Math.max(1, steps.length - 1),
    slope: slopeOf(steps),
  };
}

function slopeOf(steps: readonly Step[]): number {
  const points = steps.filter((_, index) => (steps.length - 1 - index) % slopeEvery === 0);
  const slopes: number[] = [];
  for (const [index, from] of points.entries()) {
    for (const to of points.slice(index + 1)) slopes.push((to.last - from.last) / (to.at - from.at));
  }
  return slopes.length < 3 ? 0 : medianOf(slopes);
}
