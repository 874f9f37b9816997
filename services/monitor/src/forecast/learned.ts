/**
 * Linear quantile regression (Koenker and Bassett 1978). The coefficients were learnt over the tuning half of the recording
 * alone and are the same for every series; what is its own is the quantile of its own rises, and the offset added later.
 */
import { featuresOf } from './features.ts';
import type { WindowFigures } from './window.ts';

/** By horizon, by level, by feature. */
const coefficients: readonly (readonly (readonly number[])[])[] = [
  [
    [-0.0, 0.002, -0.017, 0.281, 0.013, 0.463, -0.034, 0.017, 0.204],
    [0.002, 0.045, -0.083, 0.016, 0.894, 0.142, 0.045, 0.904, 0.187],
    [0.012, 0.156, -0.157, -0.06, 0.903, -0.105, 0.056, 1.374, 0.308],
    [3.194, 0.4, -0.093, -0.313, 0.536, -2.385, -0.027, 2.138, 0.139],
  ],
  [
    [0.013, 0.024, -0.04, 0.084, 0.862, 0.354, 0.003, 0.934, 0.039],
    [2.851, -0.07, -0.316, 0.188, 0.798, -0.711, 0.055, 3.086, 0.078],
    [3.885, -0.22, -0.085, 0.387, 0.534, -1.928, 0.091, 3.145, 0.001],
    [7.154, -0.201, 0.686, 0.32, -0.793, -2.478, -0.018, 3.033, -0.02],
  ],
];

/** The rise above now for each level, ascending. */
export function learnedRises(
  horizon: number,
  figures: WindowFigures,
  unit: number,
  own: readonly (number | null)[],
  weight: number,
): readonly number[] {
  let floor = Number.NEGATIVE_INFINITY;
  return (coefficients[horizon] ?? []).map((weights, level) => {
    const features = featuresOf(figures, unit, own[level] ?? null, weight);
    floor = Math.max(
      floor,
      features.reduce((sum, feature, index) => sum + feature * (weights[index] ?? 0), 0),
    );
    return floor;
  });
}
