/** Takes out of a floor what load explains: memory that comes and goes with the work is need, not a leak. */
import type { Floor } from './leak.ts';
import { median } from './trend.ts';

/** Floors are compared over half an hour and over one: memory follows load late. */
const lags = [3, 6];
/** Changes of load that are smaller, as a share of its mean, say nothing about its price. */
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
  const prices = lags.flatMap((lag) =>
    floors.slice(lag).flatMap((to, index) => {
      const from = floors[index];
      const change = (to.loadPerSecond ?? 0) - (from?.loadPerSecond ?? 0);
      if (from === undefined || Math.abs(change) < leastChange * mean || change === 0) return [];
      return [(to.bytes - from.bytes) / change];
    }),
  );
  // Load that does not change explains no change.
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
