import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideSlots, longestList } from './decide.ts';
import type { Calendar } from './types.ts';

const hour = 3_600_000;
const day = 24 * hour;
const rules = { catchUpMs: 12 * hour, graceMs: 60_000 };

/** A slot at every multiple of the step. */
function grid(stepMs: number): Calendar {
  return {
    next: (after) => (Math.floor(after / stepMs) + 1) * stepMs,
    latest: (at, count) => {
      const newest = Math.floor(at / stepMs);
      return Array.from({ length: Math.min(count, newest + 1) }, (_, back) => (newest - back) * stepMs);
    },
  };
}

const daily = grid(day);
const d = (days: number, hours = 0, ms = 0) => days * day + hours * hour + ms;

describe('decideSlots on a daily calendar', () => {
  it.each([
    { title: 'nothing before the slot', last: d(5), now: d(5, 23), run: null, skipped: [], nextAt: d(6) },
    {
      title: 'the slot at its instant',
      last: d(5),
      now: d(6),
      run: [d(6), 'schedule'],
      skipped: [],
      nextAt: d(7),
    },
    {
      title: 'a slot a moment late',
      last: d(5),
      now: d(6, 0, 60_000),
      run: [d(6), 'schedule'],
      skipped: [],
      nextAt: d(7),
    },
    {
      title: 'a late slot as catch-up',
      last: d(5),
      now: d(6, 0, 60_001),
      run: [d(6), 'catch-up'],
      skipped: [],
      nextAt: d(7),
    },
    {
      title: 'a slot at the end of the window',
      last: d(5),
      now: d(6, 12),
      run: [d(6), 'catch-up'],
      skipped: [],
      nextAt: d(7),
    },
    {
      title: 'not a slot beyond the window',
      last: d(5),
      now: d(6, 12, 1),
      run: null,
      skipped: [d(6)],
      nextAt: d(7),
    },
    {
      title: 'the newest of several',
      last: d(2),
      now: d(6, 3),
      run: [d(6), 'catch-up'],
      skipped: [d(3), d(4), d(5)],
      nextAt: d(7),
    },
    {
      title: 'none of several that are old',
      last: d(4),
      now: d(6, 13),
      run: null,
      skipped: [d(5), d(6)],
      nextAt: d(7),
    },
    {
      title: 'nothing twice when the clock goes back',
      last: d(6),
      now: d(5, 23),
      run: null,
      skipped: [],
      nextAt: d(7),
    },
  ])('$title', ({ last, now, run, skipped, nextAt }) => {
    const decision = decideSlots(daily, last, now, rules);
    expect(decision.run).toEqual(run === null ? null : { slot: run[0], trigger: run[1] });
    expect(decision.skipped.map(({ slot }) => slot)).toEqual(skipped);
    expect(decision.nextAt).toBe(nextAt);
    expect(decision.begin).toBeNull();
  });

  it('says why a slot is skipped', () => {
    expect(decideSlots(daily, d(4), d(6, 3), rules).skipped).toEqual([
      { slot: d(5), reason: 'missed; a newer slot is run instead' },
    ]);
    expect(decideSlots(daily, d(5), d(6, 13), rules).skipped).toEqual([
      { slot: d(6), reason: 'missed by 13h, longer than 12h' },
    ]);
  });

  it('begins the ledger of a new host without running what lies behind', () => {
    const decision = decideSlots(daily, null, d(6, 3), rules);
    expect(decision).toMatchObject({ run: null, skipped: [], begin: { slot: d(6, 3) }, nextAt: d(7) });
  });

  it('begins anew when the ledger is far in the future, instead of waiting for it', () => {
    const decision = decideSlots(daily, d(400), d(6, 3), rules);
    expect(decision.begin).toEqual({
      slot: d(6, 3),
      reason: expect.stringMatching(/^the ledger is \d+h ahead of the clock; the calendar begins anew$/),
    });
  });

  it('runs a slot in time even when nothing is caught up', () => {
    const strict = { catchUpMs: 0, graceMs: 60_000 };
    expect(decideSlots(daily, d(5), d(6, 0, 20), strict).run).toEqual({ slot: d(6), trigger: 'schedule' });
    expect(decideSlots(daily, d(5), d(6, 1), strict).run).toBeNull();
  });

  it('has nothing to wait for when the calendar has no slots', () => {
    const never: Calendar = { next: () => null, latest: () => [] };
    expect(decideSlots(never, d(1), d(6), rules)).toEqual({
      run: null,
      skipped: [],
      waiting: null,
      begin: null,
      nextAt: null,
    });
  });
});

describe('decideSlots on any calendar', () => {
  const inputs = fc.record({
    stepMs: fc.integer({ min: 1_000, max: 2 * day }),
    last: fc.integer({ min: 0, max: 30 * day }),
    aheadMs: fc.integer({ min: -2 * hour, max: 40 * day }),
    catchUpMs: fc.integer({ min: 0, max: 3 * day }),
  });

  it('decides every slot since the last exactly once, however often the clock is looked at', () => {
    fc.assert(
      fc.property(inputs, fc.array(fc.integer({ min: 0, max: day }), { maxLength: 20 }), (given, pauses) => {
        const calendar = grid(given.stepMs);
        const own = { catchUpMs: given.catchUpMs, graceMs: 60_000 };
        let last = given.last;
        let now = given.last;
        const decided: number[] = [];
        for (const pause of pauses) {
          now += pause;
          const { run, skipped } = decideSlots(calendar, last, now, own);
          const slots = [...skipped.map(({ slot }) => slot), ...(run === null ? [] : [run.slot])];
          for (const slot of slots) {
            expect(slot).toBeGreaterThan(last);
            expect(slot).toBeLessThanOrEqual(now);
            last = slot;
          }
          decided.push(...slots);
        }
        const due = calendar.latest(now, 5).filter((slot) => slot > given.last);
        expect(decided).toEqual(expect.arrayContaining(due));
        expect(new Set(decided).size).toBe(decided.length);
      }),
    );
  });

  it('never runs what is too old, and keeps the list short', () => {
    fc.assert(
      fc.property(inputs, ({ stepMs, last, aheadMs, catchUpMs }) => {
        const now = Math.max(0, last + aheadMs);
        const { run, skipped } = decideSlots(grid(stepMs), last, now, { catchUpMs, graceMs: 60_000 });
        if (run !== null) expect(now - run.slot).toBeLessThanOrEqual(Math.max(catchUpMs, 60_000));
        expect(skipped.length).toBeLessThanOrEqual(longestList);
      }),
    );
  });

  it('says that it has left out the oldest of too many', () => {
    const { skipped, run } = decideSlots(grid(1_000), 0, d(1), rules);
    expect(run?.slot).toBe(d(1));
    expect(skipped).toHaveLength(longestList - 1);
    expect(skipped[0]?.reason).toBe('missed; a newer slot is run instead; so were all earlier ones');
  });
});
