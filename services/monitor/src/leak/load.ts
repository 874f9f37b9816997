/** Takes out of a floor what load explains: memory that comes and goes with the work is need, not a leak. */
import type { Floor } from './leak.ts';
import { median } from './trend.ts';

/** In floors, half an hour to two hours: memory follows load late, and load may change slowly. */
const lags = [3, 6, 12];
/** Load that spans less than this share of its mean is level and explains no change. */
const leastSpan = 0.05;
/** Changes of load that are smaller, as a share of what it spans, say nothing about its price. */
const leastChange = 0.1;
const leastPairs = 6;

export interface Normalised {
  readonly floors: readonly Floor[];
  readonly loadNormalised: boolean;
}

/**
 * The price of load is the median of what the floor gained while load gained, over changes; over levels, a leak under
 * growing load would pass for its price even after the load went. A price below nothing is none.
 */
export function withoutLoad(floors: readonly Floor[]): Normalised {
  const loads = floors.flatMap(({ loadPerSecond }) => (loadPerSecond === null ? [] : [loadPerSecond]));
  if (loads.length < floors.length || loads.length === 0) return { floors, loadNormalised: false };
  const mean = loads.reduce((sum, load) => sum + load, 0) / loads.length;
  const span = Math.max(...loads) - Math.min(...loads);
  if (span < leastSpan * mean || span === 0) return { floors, loadNormalised: true };
  const prices = lags.flatMap((lag) =>
    floors.slice(lag).flatMap((to, index) => {
      const from = floors[index];
      const change = (to.loadPerSecond ?? 0) - (from?.loadPerSecond ?? 0);
      if (from === undefined || Math.abs(change) < leastChange * span) return [];
      return [(to.bytes - from.bytes) / change];
    }),
  );
  if (prices.length < leastPairs) return { floors, loadNormalised: true };
  const price = Math.max(0, median(prices));
  return {
    floors: floors.map((floor) => ({
      ...floor,
      bytes: floor.bytes - price * ((floor.loadPerSecond ?? 0) - mean),
    })),
    loadNormalised: true,
  };
}
