/** Leak verdicts as tables: what leaks, what only looks like it, and what a hole in the readings does not prove. */
import { describe, expect, it } from 'vitest';
import { advanceLeak, judgeLeak } from './advance.ts';
import { type LeakObservation, type LeakState, type LeakVerdict, noLeak } from './leak.ts';

const MiB = 2 ** 20;
const limitBytes = 1024 * MiB;
const hourMs = 3_600_000;
const start = Date.UTC(2026, 0, 5);

type Shape = (hours: number) => Partial<LeakObservation> & { readonly valueBytes: number };

/** A reading a minute; the hours run on over `from`. */
function watch(shape: Shape, hours: number, from = 0, state: LeakState = noLeak) {
  const verdicts: LeakVerdict[] = [];
  let next = state;
  for (let minute = from * 60; minute <= (from + hours) * 60; minute += 1) {
    const at = start + minute * 60_000;
    next = advanceLeak(next, { at, limitBytes, ...shape(minute / 60) });
    verdicts.push(judgeLeak(next, at).verdict);
  }
  const now = start + (from + hours) * hourMs;
  return { state: next, verdicts, now, judged: judgeLeak(next, now) };
}

const leak: Shape = (hours) => ({ valueBytes: (400 + 12 * hours) * MiB });

describe('a leak', () => {
  it('is suspected before it is confirmed, and once confirmed it stays so while it leaks', () => {
    const { verdicts } = watch(leak, 10);
    const [suspected, confirmed] = [verdicts.indexOf('suspected'), verdicts.indexOf('confirmed')];
    expect(suspected).toBeGreaterThan(0);
    expect(confirmed - suspected).toBeGreaterThanOrEqual(20);
    expect(new Set(verdicts.slice(confirmed))).toEqual(new Set(['confirmed']));
  });

  it('carries its evidence: rise, time to limit, and the level that a restart should bring back', () => {
    const { judged } = watch(leak, 12);
    const { evidence, healthyLevelBytes } = judged;
    expect((evidence.floorRiseBytesPerHour ?? 0) / MiB).toBeCloseTo(12, 1);
    // 1024 - (400 + 144) MiB at 12 MiB an hour.
    expect((evidence.timeToLimitMs ?? 0) / hourMs).toBeCloseTo(40, 0);
    expect(evidence).toMatchObject({ consistentShare: 1, loadNormalised: false });
    expect((healthyLevelBytes ?? 0) / MiB).toBeLessThan(480);
    expect(judged.reason).toMatch(/12\.0 MiB\/h over \d+ h, rising in 8 of 8 steps, limit in/);
  });

  it('whose limit is more than a week away is suspected only', () => {
    const { verdicts, judged } = watch((hours) => ({ valueBytes: (100 + 4 * hours) * MiB }), 20);
    expect(verdicts).not.toContain('confirmed');
    expect(judged).toMatchObject({ verdict: 'suspected' });
    expect(judged.reason).toContain('further away than a week');
  });

  it('without a known limit is never confirmed', () => {
    const { verdicts, judged } = watch((hours) => ({ ...leak(hours), limitBytes: null }), 20);
    expect(verdicts).not.toContain('confirmed');
    expect(judged.reason).toContain('no limit is known');
    expect(judged.evidence.timeToLimitMs).toBeNull();
  });

  it('that stopped is no longer one', () => {
    const { state } = watch(leak, 10);
    expect(watch(() => ({ valueBytes: 520 * MiB }), 12, 10, state).judged.verdict).toBe('none');
  });
});

describe('a restart', () => {
  it('begins anew when the container says so, at the same level too', () => {
    const { state } = watch((hours) => ({ ...leak(hours), startedAt: 1 }), 10);
    const after = watch((hours) => ({ ...leak(hours), startedAt: 2 }), 1, 10, state);
    expect(after.state.floors.length).toBeLessThan(8);
    expect(after.verdicts[0]).toBe('none');
    expect(after.judged).toMatchObject({ verdict: 'none', healthyLevelBytes: null });
  });

  it('is seen in a level that no floor ever had, when nobody says so', () => {
    const { state } = watch(leak, 10);
    const after = watch(() => ({ valueBytes: 150 * MiB }), 1, 10.02, state);
    expect(after.judged.verdict).toBe('none');
    expect(after.state.floors.every(({ bytes }) => bytes === 150 * MiB)).toBe(true);
  });

  it('does not hide the leak that comes back', () => {
    const { state } = watch((hours) => ({ ...leak(hours), startedAt: 1 }), 10);
    const again: Shape = (hours) => ({ ...leak(hours - 10), startedAt: 2 });
    expect(watch(again, 8, 10, state).judged.verdict).toBe('confirmed');
  });
});

describe('what was not seen', () => {
  it('is no floor: two hours around a hole of six prove nothing', () => {
    const { state } = watch(leak, 1);
    const after = watch(leak, 1, 7, state);
    expect(after.verdicts).not.toContain('suspected');
    expect(after.judged.reason).toContain('without larger gaps');
  });

  it.each([
    ['an hour back', -hourMs],
    ['an hour ahead', hourMs],
    ['eight hours ahead, as after a suspend', 8 * hourMs],
    ['to the beginning of time', -start],
  ])('a clock that jumps %s makes no leak of a level floor', (_, jump) => {
    const flat: Shape = () => ({ valueBytes: 400 * MiB });
    let state = watch(flat, 6).state;
    for (let minute = 361; minute < 1_200; minute += 1) {
      const at = start + jump + minute * 60_000;
      state = advanceLeak(state, { at, valueBytes: 400 * MiB, limitBytes });
      expect(judgeLeak(state, at).verdict).toBe('none');
    }
  });

  it('a clock that goes back an hour keeps a leak that is known', () => {
    let { state, now } = watch(leak, 10);
    for (let minute = 1; minute <= 30; minute += 1) {
      now = start + 9 * hourMs + minute * 60_000;
      state = advanceLeak(state, { at: now, limitBytes, ...leak(10 + minute / 60) });
    }
    expect(judgeLeak(state, now).verdict).toBe('confirmed');
  });

  it('is not confirmed: readings older than half an hour leave a suspicion', () => {
    const { state, now } = watch(leak, 10);
    expect(judgeLeak(state, now + hourMs)).toMatchObject({ verdict: 'suspected' });
    expect(judgeLeak(state, now + hourMs).reason).toContain('nothing was seen of it for 60 min');
    expect(judgeLeak(state, Number.NaN).verdict).toBe('suspected');
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1])('a reading of %s changes nothing', (valueBytes) => {
    const { state } = watch(leak, 5);
    expect(advanceLeak(state, { at: start + 6 * hourMs, valueBytes, limitBytes })).toBe(state);
  });

  it('a time out of this world costs the past, and nothing after it', () => {
    const { state } = watch(leak, 5);
    const lost = advanceLeak(state, { at: 1e300, valueBytes: 1, limitBytes });
    expect(watch(leak, 8, 5, lost).judged.verdict).toBe('confirmed');
  });

  it('a start that is no time is no restart', () => {
    const { state } = watch((hours) => ({ ...leak(hours), startedAt: 1 }), 10);
    expect(watch((hours) => ({ ...leak(hours), startedAt: Number.NaN }), 1, 10, state).judged.verdict).toBe(
      'confirmed',
    );
  });

  it('of nothing nothing is said', () => {
    expect(judgeLeak(noLeak, start)).toMatchObject({ verdict: 'none', healthyLevelBytes: null });
  });
});

it('the state is bounded plain JSON that a crash does not cost anything', () => {
  const { state } = watch(leak, 48);
  const young = watch(leak, 1).state;
  expect(JSON.parse(JSON.stringify(young))).toEqual(young);
  const restored: LeakState = JSON.parse(JSON.stringify(state));
  expect(restored).toEqual(state);
  expect(state.floors.length).toBeLessThanOrEqual(74);
  expect(JSON.stringify(state).length).toBeLessThan(8_000);
  expect(watch(leak, 1, 48.02, restored).state).toEqual(watch(leak, 1, 48.02, state).state);
});
