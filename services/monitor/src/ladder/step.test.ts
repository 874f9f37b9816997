/** The ladder as tables: what is told of which series of readings, and what a hole in them does not prove. */
import { type Tier, tiers } from '@nautilus/contracts';
import { describe, expect, it } from 'vitest';
import { calmLadder, type LadderSettings, type LadderState, type Transition } from './ladder.ts';
import { stepLadder } from './step.ts';

const settings: LadderSettings = {
  steps: { info: 0.6, warning: 0.8, critical: 0.9, emergency: 0.95 },
  gap: 0.05,
  raiseHoldMs: 2_000,
  clearHoldMs: 10_000,
};

/** Feeds `[seconds, value]` readings; a transition is told as `second state tier`. */
function walk(readings: readonly (readonly [number, number])[], with_: Partial<LadderSettings> = {}) {
  let state: LadderState = calmLadder;
  const transitions: Transition[] = [];
  for (const [second, value] of readings) {
    const step = stepLadder(state, { value, at: second * 1_000 }, { ...settings, ...with_ });
    state = step.state;
    transitions.push(...step.transitions);
  }
  return { state, transitions, told: transitions.map((t) => `${t.at / 1_000} ${t.state} ${t.tier}`) };
}

const hold = (from: number, to: number, value: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => [from + index, value] as const);

describe('a ladder', () => {
  const table: readonly {
    name: string;
    readings: readonly (readonly [number, number])[];
    told: readonly string[];
  }[] = [
    { name: 'says nothing of a value below every step', readings: hold(0, 30, 0.59), told: [] },
    { name: 'raises after the hold', readings: hold(0, 3, 0.6), told: ['2 raised info'] },
    {
      name: 'does not raise when the value dips within the hold',
      readings: [
        [0, 0.65],
        [1, 0.59],
        [2, 0.65],
        [3, 0.65],
      ],
      told: [],
    },
    {
      name: 'goes straight to the tier that held, in one transition',
      readings: hold(0, 4, 0.92),
      told: ['2 raised critical'],
    },
    { name: 'raises EMERGENCY with the first reading', readings: [[0, 0.95]], told: ['0 raised emergency'] },
    {
      name: 'walks up tier by tier as the value rises',
      readings: [...hold(0, 2, 0.62), ...hold(3, 5, 0.82), ...hold(6, 8, 0.91), [9, 0.97]],
      told: ['2 raised info', '5 raised warning', '8 raised critical', '9 raised emergency'],
    },
    {
      name: 'stays raised inside the gap, however long',
      readings: [...hold(0, 2, 0.81), ...hold(3, 60, 0.76)],
      told: ['2 raised warning'],
    },
    {
      name: 'steps down to the tier that still holds',
      readings: [...hold(0, 2, 0.92), ...hold(3, 20, 0.77)],
      told: ['2 raised critical', '13 lowered warning'],
    },
    {
      name: 'walks down tier by tier and clears',
      readings: [[0, 0.99], ...hold(1, 11, 0.87), ...hold(12, 22, 0.7), ...hold(23, 33, 0.3)],
      told: [
        '0 raised emergency',
        '11 lowered critical',
        '22 lowered warning',
        '22 lowered info',
        '33 cleared info',
      ],
    },
    {
      name: 'starts the clearing anew when the value comes back into the gap',
      readings: [...hold(0, 2, 0.7), ...hold(3, 12, 0.5), [13, 0.56], ...hold(14, 23, 0.5)],
      told: ['2 raised info'],
    },
  ];
  it.each(table)('$name', ({ readings, told }) => {
    expect(walk(readings).told).toEqual(told);
  });

  it('tells an incident under one key with rising numbers, and the next one under another', () => {
    const { transitions } = walk([[0, 0.99], ...hold(1, 11, 0.1), [12, 0.99]]);
    expect(transitions.map((t) => [t.incident, t.number, t.state])).toEqual([
      ['0', 1, 'raised'],
      ['0', 2, 'lowered'],
      ['0', 3, 'lowered'],
      ['0', 4, 'lowered'],
      ['0', 5, 'cleared'],
      ['12000', 1, 'raised'],
    ]);
  });

  it('names the line that was crossed and the tier that was left', () => {
    const { transitions } = walk([...hold(0, 2, 0.65), ...hold(3, 13, 0.2)]);
    expect(transitions[0]).toMatchObject({ tier: 'info', previousTier: null, threshold: 0.6, value: 0.65 });
    expect(transitions[1]).toMatchObject({
      state: 'cleared',
      tier: 'info',
      previousTier: 'info',
      value: 0.2,
    });
    expect(transitions[1]?.threshold).toBeCloseTo(0.55);
  });

  it('uses the name that the reading proposes for a new incident', () => {
    const { transitions } = stepLadder(calmLadder, { value: 1, at: 7, opens: 'last-seen-3' }, settings);
    expect(transitions[0]?.incident).toBe('last-seen-3');
  });

  it('has only the tiers that the signal has', () => {
    const { told } = walk([[0, 1], ...hold(1, 30, 0)], { steps: { critical: 1 }, gap: 0.5, raiseHoldMs: 0 });
    expect(told).toEqual(['0 raised critical', '11 cleared critical']);
  });
});

describe('what was not seen', () => {
  it('freezes the raise hold while a value is missing', () => {
    // Held: 0→1 s, then 3→4 s; the two seconds around the missing reading do not count.
    expect(
      walk([
        [0, 0.65],
        [1, 0.65],
        [2, Number.NaN],
        [3, 0.65],
        [4, 0.65],
      ]).told,
    ).toEqual(['4 raised info']);
  });

  it('does not take a hole between samples for time that was held', () => {
    expect(
      walk([
        [0, 0.65],
        [100, 0.65],
      ]).told,
    ).toEqual([]);
    expect(walk([...hold(0, 2, 0.65), [3, 0.1], [600, 0.1]]).told).toEqual(['2 raised info']);
  });

  it('does not take a clock that went backwards for time at all', () => {
    expect(
      walk([
        [100, 0.65],
        [0, 0.65],
        [1, 0.65],
      ]).told,
    ).toEqual([]);
  });

  it('keeps the tier while nothing is measured', () => {
    const readings = [...hold(0, 2, 0.85), ...hold(3, 90, Number.NaN)];
    expect(walk(readings).state.tier).toBe<Tier>('warning');
  });

  it('raises EMERGENCY with the first reading after a hole', () => {
    expect(
      walk([
        [0, Number.NaN],
        [500, 0.96],
      ]).told,
    ).toEqual(['500 raised emergency']);
  });
});

it('knows the tiers of the contracts and no others', () => {
  expect(Object.keys(settings.steps)).toEqual([...tiers]);
});
