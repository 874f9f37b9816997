import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideSlots } from './decide.ts';
import { decideHold } from './hold.ts';
import type { Calendar } from './types.ts';

const hour = 3_600_000;
const day = 24 * hour;
const rules = { catchUpMs: 12 * hour, graceMs: 60_000 };
const daily: Calendar = {
  next: (after) => (Math.floor(after / day) + 1) * day,
  latest: (at, count) => Array.from({ length: count }, (_, back) => (Math.floor(at / day) - back) * day),
};

describe('decideHold', () => {
  it.each([
    { emergency: null, failuresInRow: 0, kind: null },
    { emergency: null, failuresInRow: 4, kind: null },
    { emergency: null, failuresInRow: 5, kind: 'skip' },
    { emergency: 'host full', failuresInRow: 0, kind: 'wait' },
    { emergency: 'host full', failuresInRow: 6, kind: 'skip' },
  ])('$emergency with $failuresInRow failures: $kind', ({ kind, ...given }) => {
    expect(decideHold({ ...given, pauseAfter: 5 })?.kind ?? null).toBe(kind);
  });
});

describe('a slot that is held', () => {
  const wait = { kind: 'wait', reason: 'emergency: host full' } as const;
  const skip = { kind: 'skip', reason: 'paused' } as const;

  it('waits undecided while it is young, and is run when the hold is over', () => {
    const held = decideSlots(daily, 5 * day, 6 * day + hour, rules, wait);
    expect(held).toMatchObject({ run: null, skipped: [], waiting: { slot: 6 * day, reason: wait.reason } });
    const after = decideSlots(daily, 5 * day, 6 * day + 2 * hour, rules);
    expect(after).toMatchObject({ run: { slot: 6 * day, trigger: 'catch-up' }, waiting: null });
  });

  it('is skipped when the hold outlasts the window', () => {
    const { run, skipped, waiting } = decideSlots(daily, 5 * day, 6 * day + 13 * hour, rules, wait);
    expect([run, waiting]).toEqual([null, null]);
    expect(skipped).toEqual([{ slot: 6 * day, reason: 'missed by 13h, longer than 12h' }]);
  });

  it('is skipped at once with the reason of a pause', () => {
    const { run, skipped } = decideSlots(daily, 5 * day, 6 * day, rules, skip);
    expect(run).toBeNull();
    expect(skipped).toEqual([{ slot: 6 * day, reason: 'paused' }]);
  });

  it('never runs, whatever the ledger and the clock say', () => {
    const instants = fc.tuple(
      fc.integer({ min: 200 * day, max: 300 * day }),
      fc.integer({ min: -day, max: 20 * day }),
    );
    fc.assert(
      fc.property(instants, fc.constantFrom(wait, skip), ([last, ahead], hold) => {
        expect(decideSlots(daily, last, last + ahead, rules, hold).run).toBeNull();
      }),
    );
  });
});
