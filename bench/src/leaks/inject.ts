/** Leaks of a known rate, put into recordings that are flat, so that there is a truth to be found. */
import type { Series } from '../series/series.ts';
import { hourMs } from './peers.ts';

/** A leak begins here, so that every detector has seen a healthy window first. */
export const onsetMs = 6 * hourMs;
const bucketMs = hourMs / 6;
export const flatRange = 0.02;
export const flatHours = 20;

/** From the 5th to the 95th percentile, the lowest values of each ten minutes lie within two hundredths of the limit. */
export function isFlat({ atMs, demand }: Series): boolean {
  const [first = 0, last = 0] = [atMs[0], atMs.at(-1)];
  if (last - first < flatHours * hourMs) return false;
  const floors = new Map<number, number>();
  for (const [index, at] of atMs.entries()) {
    const key = Math.floor(at / bucketMs);
    floors.set(key, Math.min(floors.get(key) ?? Number.POSITIVE_INFINITY, demand[index] ?? 0));
  }
  const sorted = [...floors.values()].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  return at(0.95) - at(0.05) <= flatRange;
}

/** `perHour` is a share of the limit. The recording ends where the limit is reached, as the container would. */
export function withLeak({ id, atMs, demand }: Series, perHour: number): Series {
  const first = atMs[0] ?? 0;
  const leaking = demand.map(
    (value, index) => value + (Math.max(0, (atMs[index] ?? 0) - first - onsetMs) * perHour) / hourMs,
  );
  const full = leaking.findIndex((value) => value >= 1);
  const end = full === -1 ? leaking.length : full + 1;
  return { id, atMs: atMs.slice(0, end), demand: leaking.slice(0, end).map((value) => Math.min(1, value)) };
}
