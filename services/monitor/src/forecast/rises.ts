/** A decaying histogram of signed distances: how far a peak came to lie from what a model had said. */

/** Counts by bucket, falling towards older ones; distances are shares of the series' own unit. */
export interface Rises {
  readonly weights: readonly number[];
  readonly total: number;
}

const side = 32;
const buckets = 2 * side + 1;
/** A hundredth of a percent point; less is no rise. */
const smallest = 1e-4;
/** So that the last bucket ends at one whole unit. */
const growth = 10 ** (4 / side);

export const noRises: Rises = { weights: Array.from({ length: buckets }, () => 0), total: 0 };

function bucketOf(distance: number): number {
  const size = Math.abs(distance);
  if (size < smallest) return side;
  const step = Math.min(side, 1 + Math.floor(Math.log(size / smallest) / Math.log(growth)));
  return distance < 0 ? side - step : side + step;
}

/** The two ends of a bucket, ascending. */
function edges(bucket: number): readonly [number, number] {
  const step = Math.abs(bucket - side);
  if (step === 0) return [-smallest, smallest];
  const [near, far] = [smallest * growth ** (step - 1), smallest * growth ** step];
  return bucket > side ? [near, far] : [-far, -near];
}

/** `keep` is what older weight is worth by now, 0 to 1. */
export function addRise({ weights, total }: Rises, distance: number, keep: number): Rises {
  const into = bucketOf(distance);
  return {
    weights: weights.map((weight, bucket) => weight * keep + (bucket === into ? 1 : 0)),
    total: total * keep + 1,
  };
}

/** The distance not exceeded with that probability, even within a bucket; null of nothing. */
export function quantileOfRises({ weights, total }: Rises, level: number): number | null {
  if (total <= 0) return null;
  let left = level * total;
  for (const [bucket, weight] of weights.entries()) {
    if (weight > 0 && left <= weight) {
      const [low, high] = edges(bucket);
      return low + ((high - low) * left) / weight;
    }
    left -= weight;
  }
  return 1;
}
