import { describe, expect, it } from 'vitest';
import { naiveQuantile, peers } from './peers.ts';
import { add, ours, outcomeOf, replaySeries, type SeriesScore } from './replay.ts';

const series = (demand: readonly number[]) => ({
  id: 'a',
  atMs: demand.map((_, index) => index * 60_000),
  demand,
});

describe('a replay of forecasts', () => {
  const rising = series(Array.from({ length: 30 }, (_, index) => index / 100));

  it('takes what came after the moment, and nothing where the recording ends or has a hole', () => {
    expect(outcomeOf(rising, 5, 600_000)).toEqual({ peak: 0.15, end: 0.15 });
    expect(outcomeOf(rising, 25, 600_000)).toBeNull();
    const atMs = rising.atMs.map((at, index) => at + (index > 10 ? 200_000 : 0));
    expect(outcomeOf({ ...rising, atMs }, 5, 600_000)).toBeNull();
  });

  it('scores coverage, pinball loss and the point', () => {
    const into = new Map<string, SeriesScore>();
    add(into, 'x', { p95: 0.5, point: 0.4 }, { peak: 0.6, end: 0.5 });
    add(into, 'x', { p95: 0.5, point: 0.4 }, { peak: 0.4, end: 0.4 });
    expect(into.get('x')).toEqual({
      windows: 2,
      covered: 1,
      pinball: expect.closeTo(0.1),
      pointError: expect.closeTo(0.1),
    });
  });

  it('judges everyone at the same moments', () => {
    const [ten] = replaySeries(series(Array.from({ length: 120 }, (_, index) => 0.5 + (index % 7) / 100)));
    const windows = [ours, ...peers.keys()].map((name) => ten?.get(name)?.windows);
    expect(new Set(windows)).toEqual(new Set([21]));
  });

  it('gives the naive quantile the rises that are over by now', () => {
    const past = { atMs: [0], demand: [0.2], rises: [0, 0.1] };
    expect(peers.get(naiveQuantile)?.(past, 600_000)).toEqual({ p95: 0.2 + 0.1, point: 0.2 });
  });
});
