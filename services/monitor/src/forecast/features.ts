/** What the learned model looks at, as shares of the unit of the series. */
import type { WindowFigures } from './window.ts';

export const featureCount = 9;
const leastWeight = 20;

/** `own` is the same quantile of the series' own rises, `weight` the windows it rests on. */
export function featuresOf(
  { value, median, low10, high10, low60, high60, meanStep, slope }: WindowFigures,
  unit: number,
  own: number | null,
  weight: number,
): readonly number[] {
  const trust = own === null ? 0 : weight / (weight + leastWeight);
  return [
    0.01,
    (high10 - low10) / unit,
    (high60 - low60) / unit,
    (high10 - value) / unit,
    (high60 - value) / unit,
    meanStep / unit,
    (value - median) / unit,
    Math.max(0, slope * 600_000) / unit,
    trust * (own ?? 0),
  ];
}
