/** What others raise an alarm from, on the same readings: three hits in a row, half an hour apart, over six hours. */
import type { Series } from '../series/series.ts';

/** Ms of the first alarm at or after `fromMs`, and whether there was one before. */
export interface Alarm {
  readonly atMs: number | null;
  readonly isEarly: boolean;
}

export type Detector = (series: Series, fromMs: number) => Alarm;

export const hourMs = 3_600_000;
const windowMs = 6 * hourMs;
const everyMs = hourMs / 2;
const hits = 3;
/** Two-sided 1 %. */
const mostChance = 2.58;

interface Point {
  /** Hours. */
  readonly x: number;
  readonly y: number;
}

/** Least squares with a significant slope: t above 2.6. */
export const leastSquares: Detector = rolling((points) => {
  const { slope, slopeError } = fit(points);
  return slope > 0 && slope > 2.6 * slopeError;
});

/** Mann-Kendall with a positive Theil-Sen slope, over means of five minutes. */
export const mannKendall: Detector = rolling((points) => {
  const means = thinned(points, 1 / 12);
  const slopes: number[] = [];
  let sum = 0;
  for (const [index, from] of means.entries()) {
    for (const to of means.slice(index + 1)) {
      sum += Math.sign(to.y - from.y);
      slopes.push((to.y - from.y) / (to.x - from.x));
    }
  }
  const n = means.length;
  const deviation = Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
  const middle = slopes.sort((a, b) => a - b)[slopes.length >> 1] ?? 0;
  return (sum - 1) / deviation > mostChance && middle > 0;
});

/** What `predict_linear(x[6h], 86400) > limit` says. */
export const predictLinear: Detector = rolling((points) => {
  const { slope, level } = fit(points);
  const last = points.at(-1);
  return last !== undefined && level + slope * (last.x + 24) >= 1;
});

function rolling(isHit: (points: readonly Point[]) => boolean): Detector {
  return ({ atMs, demand }, fromMs) => {
    const [first = 0, last = 0] = [atMs[0], atMs.at(-1)];
    let row = 0;
    let isEarly = false;
    for (let now = first + windowMs; now <= last; now += everyMs) {
      const points: Point[] = [];
      for (const [index, at] of atMs.entries()) {
        if (at > now - windowMs && at <= now)
          points.push({ x: (at - first) / hourMs, y: demand[index] ?? 0 });
      }
      row = points.length > 10 && isHit(points) ? row + 1 : 0;
      if (row < hits) continue;
      if (now >= fromMs) return { atMs: now, isEarly };
      isEarly = true;
    }
    return { atMs: null, isEarly };
  };
}

function fit(points: readonly Point[]): { slope: number; level: number; slopeError: number } {
  const n = points.length;
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / n;
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / n;
  const squares = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  const slope = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0) / squares;
  const level = meanY - slope * meanX;
  const rest = points.reduce((sum, { x, y }) => sum + (y - level - slope * x) ** 2, 0);
  return { slope, level, slopeError: Math.sqrt(rest / (n - 2) / squares) };
}

/** Means of equal spans of hours. */
function thinned(points: readonly Point[], span: number): Point[] {
  const groups = new Map<number, Point[]>();
  for (const point of points) {
    const key = Math.floor(point.x / span);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [point]);
    else group.push(point);
  }
  return [...groups].map(([key, group]) => ({
    x: (key + 0.5) * span,
    y: group.reduce((sum, { y }) => sum + y, 0) / group.length,
  }));
}
