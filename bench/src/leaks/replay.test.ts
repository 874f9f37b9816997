import { describe, expect, it } from 'vitest';
import type { Series } from '../series/series.ts';
import { isFlat, withLeak } from './inject.ts';
import { type Detector, hourMs, leastSquares, mannKendall, predictLinear } from './peers.ts';
import { alarmed, findLeaks, shipped } from './replay.ts';
import { runLeaks } from './run.ts';

/** 23 hours, a reading a minute, with a little life. */
const series = (shape: (hours: number) => number): Series => {
  const minutes = Array.from({ length: 23 * 60 + 1 }, (_, minute) => minute);
  return {
    id: 'a',
    atMs: minutes.map((minute) => minute * 60_000),
    demand: minutes.map((minute) => shape(minute / 60) + 0.0002 * Math.sin(minute * 1.7)),
  };
};
const level = series(() => 0.5);

describe('a leak that is put into a recording', () => {
  it('begins at its onset, and ends the recording where it reaches the limit', () => {
    const { atMs, demand } = withLeak(level, 0.05);
    expect(demand[6 * 60]).toBe(level.demand[6 * 60]);
    expect(demand[7 * 60]).toBeCloseTo(0.55, 3);
    expect(demand.at(-1)).toBe(1);
    expect((atMs.at(-1) ?? 0) / hourMs).toBeCloseTo(16, 1);
  });

  it('is put into what is flat and long', () => {
    expect(isFlat(level)).toBe(true);
    expect(isFlat(series((hours) => 0.5 + 0.005 * hours))).toBe(false);
    expect(isFlat({ ...level, atMs: level.atMs.slice(0, 600), demand: level.demand.slice(0, 600) })).toBe(
      false,
    );
  });
});

describe('detectors', () => {
  const detectors: readonly [string, Detector][] = [
    ['least squares', leastSquares],
    ['Mann-Kendall', mannKendall],
    ['predict_linear', predictLinear],
    ['confirmed', shipped(['confirmed'])],
  ];

  it.each(detectors)(
    '%s says nothing of a level, and finds a leak that reaches the limit today',
    (_, detect) => {
      expect(alarmed([level], detect)).toEqual([]);
      const { recall, medianDelayHours } = findLeaks([level], 0.03, detect);
      expect(recall).toBe(1);
      expect(medianDelayHours).toBeGreaterThan(0);
    },
  );

  it('that alarmed before the leak began found nothing', () => {
    const rising = series((hours) => 0.1 + 0.02 * Math.min(8, hours));
    expect(leastSquares(rising, 20 * hourMs)).toMatchObject({ isEarly: true });
    const always: Detector = (_, fromMs) => ({ atMs: fromMs, isEarly: true });
    expect(findLeaks([level], 0.01, always)).toEqual({ recall: 0, medianDelayHours: Number.NaN });
  });

  it('that waits for the limit finds no slow leak in half a day', () => {
    expect(findLeaks([level], 0.005, predictLinear).recall).toBe(0);
  });
});

it('a file that is none is refused with its name', () => {
  expect(() => runLeaks('/no/such.csv')).toThrow('/no/such.csv');
});
