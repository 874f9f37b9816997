import { describe, expect, it } from 'vitest';
import { replayOne } from './replay.ts';

const settings = {
  steps: { warning: 0.8, emergency: 0.95 },
  gap: 0,
  raiseHoldMs: 0,
  clearHoldMs: 0,
} as const;
const series = (demand: readonly number[]) => ({
  id: 'a',
  atMs: demand.map((_, index) => index * 60_000),
  demand,
});

describe('a replay of alerts', () => {
  it('counts transitions, and raises of what was left less than half an hour before', () => {
    expect(replayOne(series([0.7, 0.85, 0.7, 0.85]), settings)).toMatchObject({
      transitions: 3,
      reRaises: 1,
    });
    const apart = [0.85, ...Array.from({ length: 31 }, () => 0.7), 0.85];
    expect(replayOne(series(apart), settings)).toMatchObject({ transitions: 3, reRaises: 0 });
  });

  it('tells how long an EMERGENCY took, once a crossing', () => {
    expect(replayOne(series([0.7, 0.96, 0.97, 0.7, 0.99]), settings).emergencyDelays).toEqual([0, 0]);
  });

  it('sees nothing in a hole of the recording', () => {
    const { days } = replayOne({ id: 'a', atMs: [0, 86_400_000], demand: [0.1, 0.1] }, settings);
    expect(days).toBeCloseTo(121 / 86_400, 6);
  });
});
