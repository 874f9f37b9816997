import { describe, expect, it } from 'vitest';
import { calmLadder, type LadderSettings, type LadderState, type Transition } from './ladder.ts';
import { flapControl } from './policies.ts';
import { stepLadder } from './step.ts';

const settings: LadderSettings = {
  steps: { warning: 0.8, emergency: 0.95 },
  gap: 0.05,
  raiseHoldMs: 0,
  clearHoldMs: 60_000,
  flap: flapControl,
};

function walk(values: Iterable<number>, with_: LadderSettings = settings, hole = 0) {
  let state: LadderState = calmLadder;
  const told: Transition[] = [];
  let at = 0;
  for (const value of values) {
    const step = stepLadder(state, { value, at }, with_);
    state = step.state;
    told.push(...step.transitions);
    at += 1_000 + (value === 0 ? hole : 0);
  }
  return { state, told };
}

/** One second full, `calm` seconds empty, over and over. */
function* flapping(times: number, calm: number) {
  for (let time = 0; time < times; time += 1) {
    yield 0.85;
    for (let second = 0; second < calm; second += 1) yield 0;
  }
}

describe('a flapping metric (drill 16)', () => {
  it('is told a few times and then kept in sight, where a plain ladder tells it every time', () => {
    const plain: LadderSettings = { ...settings };
    const { flap: _, ...without } = plain;
    expect(walk(flapping(60, 90), without).told.length).toBeGreaterThan(100);
    const { told, state } = walk(flapping(60, 90));
    expect(told.map((one) => one.state)).toEqual(['raised', 'cleared', 'raised']);
    expect(state).toMatchObject({ tier: 'warning', flaps: 1 });
  });

  it('is calm again after half an hour without a return', () => {
    const { state } = walk([...flapping(3, 90), ...Array.from({ length: 3_700 }, () => 0)]);
    expect(state).toMatchObject({ tier: null, flaps: 0, leftMs: null });
  });

  it('is never kept longer than the cap, and never hides EMERGENCY', () => {
    const often = walk([...flapping(400, 150), ...Array.from({ length: 3_601 }, () => 0)]);
    expect(often.state.tier).toBeNull();
    expect(walk([...flapping(20, 90), 0.96]).state.tier).toBe('emergency');
  });
});
