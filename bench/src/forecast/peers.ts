/** What others would say of the same moment: each takes the past alone, and answers a P95 of the peak and a point. */
import { quantile } from '../figure.ts';

export interface Past {
  readonly atMs: readonly number[];
  readonly demand: readonly number[];
  /** Rises of the peak above its origin, of every window of this horizon that is over by now. */
  readonly rises: readonly number[];
}

export interface PeerAnswer {
  readonly p95: number;
  readonly point: number;
}

export type Peer = (past: Past, horizonMs: number) => PeerAnswer;

const hourMs = 3_600_000;
const both = (value: number): PeerAnswer => ({ p95: value, point: value });
const last = ({ demand }: Past) => demand.at(-1) ?? 0;
const judgedPeer = 'naive quantile: last value + P95 of own rises so far';

/** In the order of the table. */
export const peers: ReadonlyMap<string, Peer> = new Map<string, Peer>([
  ['last value', (past) => both(last(past))],
  [judgedPeer, (past) => ({ p95: last(past) + riseOf(past), point: last(past) })],
  ['P95 of the values of the last hour', (past) => both(quantile(lastHour(past).demand, 0.95))],
  ['predict_linear over 1 h', (past, horizonMs) => both(clamp(line(lastHour(past), horizonMs)))],
  ['VPA-like: P95 of a histogram, half-life 24 h', (past) => both(decayed(past, 0.95, 24 * hourMs))],
  [
    'Koordinator-like: P98 of a histogram, half-life 12 h, + 10 %',
    (past) => both(clamp(1.1 * decayed(past, 0.98, 12 * hourMs))),
  ],
  ['median of the last 10', ({ demand }) => both(quantile(demand.slice(-10), 0.5))],
]);
export const naiveQuantile = judgedPeer;

const clamp = (value: number) => Math.min(1, Math.max(0, value));
const riseOf = ({ rises }: Past) => (rises.length === 0 ? 0 : quantile(rises, 0.95));

function lastHour({ atMs, demand }: Past) {
  const now = atMs.at(-1) ?? 0;
  const from = atMs.findIndex((at) => at > now - hourMs);
  return { atMs: atMs.slice(from), demand: demand.slice(from) };
}

/** Ordinary least squares, as Prometheus does it. */
function line({ atMs, demand }: Pick<Past, 'atMs' | 'demand'>, aheadMs: number): number {
  const now = atMs.at(-1) ?? 0;
  const meanAt = atMs.reduce((sum, at) => sum + at - now, 0) / atMs.length;
  const mean = demand.reduce((sum, one) => sum + one, 0) / demand.length;
  let [cross, square] = [0, 0];
  for (const [index, at] of atMs.entries()) {
    cross += (at - now - meanAt) * ((demand[index] ?? 0) - mean);
    square += (at - now - meanAt) ** 2;
  }
  return mean + (square === 0 ? 0 : (cross / square) * (aheadMs - meanAt));
}

/** Exact where the originals have buckets, which does them no harm. */
function decayed({ atMs, demand }: Past, level: number, halfLifeMs: number): number {
  const now = atMs.at(-1) ?? 0;
  const sorted = demand
    .map((value, index) => ({ value, weight: 0.5 ** ((now - (atMs[index] ?? now)) / halfLifeMs) }))
    .sort((a, b) => a.value - b.value);
  let left = level * sorted.reduce((sum, { weight }) => sum + weight, 0);
  for (const { value, weight } of sorted) {
    left -= weight;
    if (left <= 0) return value;
  }
  return sorted.at(-1)?.value ?? 0;
}
