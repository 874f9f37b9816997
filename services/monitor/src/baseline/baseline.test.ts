import { describe, expect, it } from 'vitest';
import { advanceBaseline, type BaselineState, noBaseline, readBaseline } from './baseline.ts';
import { isUnusual } from './unusual.ts';

const hourMs = 3_600_000;
const monday = Date.UTC(2026, 0, 5);

/** A reading a minute; `figureAt` gets the Unix time. */
function learn(
  from: number,
  hours: number,
  figureAt: (at: number) => number,
  state: BaselineState = noBaseline,
  utcOffsetMs: number | ((at: number) => number) = 0,
): BaselineState {
  let next = state;
  for (let at = from; at <= from + hours * hourMs; at += 60_000) {
    const offset = typeof utcOffsetMs === 'number' ? utcOffsetMs : utcOffsetMs(at);
    next = advanceBaseline(next, { at, utcOffsetMs: offset, value: figureAt(at) });
  }
  return next;
}
/** Busy from nine to ten, with a little life. */
const day = (at: number) => (new Date(at).getUTCHours() === 9 ? 800 : 200) + 10 * Math.sin(at / 200_000);
const judged = (state: BaselineState, at: number, value: number) =>
  isUnusual(state, { at, utcOffsetMs: 0, value });

describe('a baseline', () => {
  it('says nothing of a figure that it hardly knows', () => {
    expect(judged(noBaseline, monday, 5)).toMatchObject({ isUnusual: null });
    expect(judged(learn(monday, 48, day), monday + 48 * hourMs, 5).reason).toContain('cold: 2 such hours');
  });

  it('knows the hour of the day after three days', () => {
    const state = learn(monday, 73, day);
    const nine = monday + (72 + 9) * hourMs;
    expect(readBaseline(state, { at: nine, utcOffsetMs: 0 }).basis).toBe('hour-of-day');
    expect(judged(state, nine, 800).isUnusual).toBe(false);
    expect(judged(state, nine + 2 * hourMs, 800)).toMatchObject({ isUnusual: true });
    expect(judged(state, nine, 200).reason).toContain('below the mean 80');
  });

  it('knows the weekday after two weeks: what is normal on Monday is not on Sunday', () => {
    const weekday = (at: number) => (new Date(at).getUTCDay() === 0 ? 50 : day(at));
    const state = learn(monday, 14 * 24 + 1, weekday);
    const sunday = monday + (20 * 24 + 9) * hourMs;
    expect(readBaseline(state, { at: sunday, utcOffsetMs: 0 })).toMatchObject({
      basis: 'hour-of-week',
      mean: 50,
    });
    expect(judged(state, sunday, 800).isUnusual).toBe(true);
    expect(judged(state, sunday + 24 * hourMs, 800).isUnusual).toBe(false);
  });

  it('takes a new habit for normal within weeks', () => {
    const learnt = learn(monday, 6 * 168, () => 100);
    const changed = learn(monday + 6 * 168 * hourMs, 8 * 168, () => 300, learnt);
    const { mean } = readBaseline(changed, { at: monday + 14 * 168 * hourMs + 9 * hourMs, utcOffsetMs: 0 });
    expect(mean).toBeGreaterThan(250);
  });

  it('has a figure that was never anything but zero', () => {
    const state = learn(monday, 100, () => 0);
    expect(judged(state, monday + 100 * hourMs, 0).isUnusual).toBe(false);
    expect(judged(state, monday + 100 * hourMs, 1)).toMatchObject({ isUnusual: true });
  });

  it('is bounded plain JSON', () => {
    const state = learn(monday, 500, day);
    expect(JSON.parse(JSON.stringify(state))).toEqual(state);
    expect(state.hours).toHaveLength(168);
    expect(JSON.stringify(state).length).toBeLessThan(20_000);
  });
});

describe('a clock that does what it likes (drill 9)', () => {
  it.each([
    ['a suspend of 8 h', 8 * hourMs],
    ['a jump of an hour ahead', hourMs],
    ['a jump of an hour back', -hourMs],
  ])('%s is time that was not seen', (_, jump) => {
    const before = learn(monday, 9.25, day);
    const after = advanceBaseline(before, {
      at: monday + 9.25 * hourMs + jump,
      utcOffsetMs: 0,
      value: 5_000,
    });
    expect(after.open).toMatchObject({ seenMs: 0 });
    expect(after.hours.filter((hour) => hour !== null)).toHaveLength(9);
    // A quarter of the hour at nine was seen, which is no visit.
    expect(after.hours[9]).toBeNull();
  });

  it('summer time moves the hours with the people', () => {
    // Clocks go ahead on 2026-03-29 at 01:00 UTC; the market opens at nine, local time.
    const change = Date.UTC(2026, 2, 29, 1);
    const offset = (at: number) => (at < change ? hourMs : 2 * hourMs);
    const local = (at: number) => day(at + offset(at));
    const from = Date.UTC(2026, 2, 23) - hourMs;
    const state = learn(from, 21 * 24, local, noBaseline, offset);
    const at = Date.UTC(2026, 3, 13, 7, 30);
    expect(isUnusual(state, { at, utcOffsetMs: 2 * hourMs, value: 800 })).toMatchObject({ isUnusual: false });
  });

  it('a reading that was not measured teaches nothing', () => {
    const state = learn(monday, 2, day);
    const after = advanceBaseline(state, { at: monday + 2 * hourMs + 1, utcOffsetMs: 0, value: Number.NaN });
    expect(after).toEqual({ ...state, seenAt: null });
    expect(isUnusual(after, { at: monday, utcOffsetMs: 0, value: Number.NaN }).reason).toBe(
      'it was not measured',
    );
  });
});
