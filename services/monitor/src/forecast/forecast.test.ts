import { describe, expect, it } from 'vitest';
import { advanceForecast, emptyForecast } from './advance.ts';
import { readForecast } from './read.ts';
import { addRise, noRises, quantileOfRises } from './rises.ts';
import { pinball } from './score.ts';
import type { ForecastObservation, ForecastState } from './state.ts';

const minuteMs = 60_000;
const gib = 2 ** 30;

function learn(
  minutes: number,
  valueAt: (minute: number) => number,
  state: ForecastState = emptyForecast,
  from = 0,
  more: Partial<ForecastObservation> = { limit: 10 * gib },
): ForecastState {
  let next = state;
  for (let minute = from; minute < from + minutes; minute += 1) {
    next = advanceForecast(next, { at: minute * minuteMs, value: valueAt(minute), ...more });
  }
  return next;
}
/** A level with a saw of ten minutes on it. */
const saw = (minute: number) => 4 * gib + 0.02 * gib * (minute % 10);
const at = (minutes: number) => (minutes - 1) * minuteMs;

describe('a forecast', () => {
  it('says nothing until it has seen something, and why', () => {
    expect(readForecast(emptyForecast, 0)).toMatchObject({ state: 'cold', reason: 'nothing was seen yet' });
    expect(readForecast(learn(3, saw), at(3)).reason).toContain('3 minutes were seen');
    expect(readForecast(learn(30, saw), at(40))).toMatchObject({ state: 'cold', horizons: [] });
  });

  it('is warming for a day, in which planners take the maximum', () => {
    const early = readForecast(learn(120, saw), at(120));
    expect(early).toMatchObject({ state: 'warming', maximumSeen: saw(9) });
    expect(early.reason).toContain('plan with the maximum');
    expect(readForecast(learn(1_442, saw), at(1_442)).state).toBe('live');
  });

  it('holds what a saw reaches, not more, and names who says so', () => {
    const { horizons } = readForecast(learn(600, saw), at(600));
    for (const { p50, p90, p95, p99, coverage, skill } of horizons) {
      expect(p50 <= p90 && p90 <= p95 && p95 <= p99).toBe(true);
      expect(p95).toBeGreaterThan(saw(9) - 0.01 * gib);
      expect(p95).toBeLessThan(saw(9) + 0.1 * gib);
      expect(coverage).toBeGreaterThan(0.85);
      expect(skill).toBeGreaterThan(0.3);
    }
    expect(horizons.map(({ horizonMs }) => horizonMs)).toEqual([600_000, 3_600_000]);
  });

  it('tells when a steady rise meets the limit', () => {
    const rise = (minute: number) => 2 * gib + minute * 0.01 * gib;
    const { timeToLimitMs } = readForecast(learn(300, rise), at(300));
    expect((timeToLimitMs ?? 0) / minuteMs).toBeCloseTo((8 * gib - 2.99 * gib) / (0.01 * gib), 0);
    expect(readForecast(learn(300, saw), at(300)).timeToLimitMs).toBeNull();
  });

  it('leaves the speaking to no change where everything else loses to it', () => {
    const { horizons } = readForecast(
      learn(600, () => 4 * gib),
      at(600),
    );
    expect(horizons[0]?.model).toBe('no-change');
    expect(Math.abs((horizons[0]?.p95 ?? 0) - 4 * gib)).toBeLessThan(0.02 * gib);
  });

  it('is bounded plain JSON', () => {
    const state = learn(2_000, saw);
    expect(JSON.parse(JSON.stringify(state))).toEqual(state);
    expect(JSON.stringify(state).length).toBeLessThan(40_000);
    expect(state.steps.length).toBeLessThanOrEqual(60);
    expect(state.horizons.map(({ pending }) => pending.length)).toEqual([10, 12]);
  });

  it('takes samples of a second as minutes', () => {
    let state = emptyForecast;
    for (let second = 0; second < 1_200; second += 1) {
      state = advanceForecast(state, { at: second * 1_000, value: second === 700 ? 9 : 1, limit: 10 });
    }
    expect(state.steps.length).toBeLessThanOrEqual(22);
    expect(Math.max(...state.steps.map(({ peak }) => peak))).toBe(9);
  });
});

describe('what must not poison a forecast (drill 20)', () => {
  const before = learn(600, saw);
  const rises = (state: ForecastState) => state.horizons.map((one) => one.rises);

  it.each([
    ['a gap of an hour', { at: 660 * minuteMs, value: gib, limit: 10 * gib }],
    ['a clock that goes back', { at: 500 * minuteMs, value: gib, limit: 10 * gib }],
    ['a restart', { at: 600 * minuteMs, value: gib, limit: 10 * gib, bornAt: 1 }],
  ])('%s judges nothing that was said before', (_, seen) => {
    const born = learn(600, saw, emptyForecast, 0, { limit: 10 * gib, bornAt: 0 });
    const after = advanceForecast(born, seen);
    expect(rises(after)).toEqual(rises(born));
    expect(after.horizons.every(({ pending }) => pending.length === 0)).toBe(true);
    expect(after.steps).toHaveLength(1);
    expect(readForecast(after, seen.at).state).toBe('cold');
  });

  it('another limit moves no forecast in bytes', () => {
    const same = learn(100, saw, before, 600);
    const less = learn(100, saw, before, 600, { limit: 5 * gib });
    expect(less.unit).toBe(10 * gib);
    expect(readForecast(less, at(700)).horizons).toEqual(readForecast(same, at(700)).horizons);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1])('a value of %s teaches nothing', (value) => {
    expect(advanceForecast(before, { at: 600 * minuteMs, value })).toBe(before);
  });
});

describe('its parts', () => {
  it('weigh a miss by the level', () => {
    expect([pinball(0.95, 1, 2), pinball(0.95, 2, 1)]).toEqual([0.95, expect.closeTo(0.05)]);
  });

  it('find quantiles of rises within a bucket, older ones fading', () => {
    let rises = noRises;
    for (let index = 0; index < 100; index += 1) rises = addRise(rises, index < 90 ? 0 : 0.1, 1);
    expect(quantileOfRises(rises, 0.5)).toBeCloseTo(0, 3);
    expect(quantileOfRises(rises, 0.95)).toBeGreaterThan(0.07);
    for (let index = 0; index < 50; index += 1) rises = addRise(rises, -0.2, 0.8);
    expect(quantileOfRises(rises, 0.95)).toBeLessThan(-0.1);
    expect(quantileOfRises(noRises, 0.5)).toBeNull();
  });
});
