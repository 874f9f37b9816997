import { describe, expect, it } from 'vitest';
import { advanceBandwidth, noBandwidth } from './bandwidth.ts';
import { calmLadder } from './ladder.ts';
import { bandwidthLadder, stallLadder } from './policies.ts';
import { advanceStall, noStall, readStall } from './stall.ts';
import { stepLadder } from './step.ts';

describe('a bandwidth source (drill 18)', () => {
  const peakBytesPerSecond = 1_000;
  const after = (counter: unknown, elapsedMs = 1_000) => {
    const { state } = advanceBandwidth(noBandwidth, { at: 0, counter: 500, peakBytesPerSecond });
    return advanceBandwidth(state, { at: elapsedMs, counter, peakBytesPerSecond });
  };

  it('is a rate and a share of the calibrated peak', () => {
    expect(after(1_400).reading).toEqual({ bytesPerSecond: 900, utilization: 0.9, reason: null });
    expect(after(1_400n).reading.utilization).toBe(0.9);
  });

  it.each([
    ['that vanished', null, 'no source'],
    ['that says Unavailable', 'Unavailable', 'the source answered Unavailable'],
    ['that says the smallest integer', -(2n ** 63n), 'the source answered -9223372036854775808'],
    ['that says the smallest integer as a double', -(2 ** 63), 'the source answered -9223372036854776000'],
    ['that says NaN', Number.NaN, 'the source answered NaN'],
    ['that wrapped', 100, 'the counter wrapped or was reset'],
    ['that says more than the machine can', 90_000, 'the counter says more than is possible'],
  ])('%s is unknown, not zero, and moves no ladder', (_, counter, reason) => {
    const { reading } = after(counter);
    expect(reading.reason).toBe(reason);
    expect(reading.utilization).toBeNaN();
    const raised = stepLadder(calmLadder, { value: 0.99, at: 0 }, bandwidthLadder).state;
    expect(raised.tier).toBe('emergency');
    const held = stepLadder(raised, { value: reading.utilization, at: 1_000 }, bandwidthLadder);
    expect(held.state.tier).toBe('emergency');
    expect(held.transitions).toEqual([]);
  });

  it('without a calibrated peak has a rate and no share', () => {
    const { state } = advanceBandwidth(noBandwidth, { at: 0, counter: 0, peakBytesPerSecond: null });
    const { reading } = advanceBandwidth(state, { at: 1_000, counter: 7, peakBytesPerSecond: null });
    expect(reading.bytesPerSecond).toBe(7);
    expect(reading.utilization).toBeNaN();
  });

  it('says nothing of a gap', () => {
    expect(after(1_400, 60_000).reading.reason).toBe('a gap between readings');
  });
});

describe('stall time', () => {
  const seen = (points: readonly (readonly [number, number | null])[]) =>
    points.reduce((state, [at, totalUs]) => advanceStall(state, { at, totalUs }), noStall);

  it('is the share of the last ten seconds', () => {
    const points = Array.from(
      { length: 40 },
      (_, second) => [second * 1_000, second < 29 ? 0 : (second - 29) * 500_000] as const,
    );
    expect(readStall(seen(points))).toBeCloseTo(0.5);
  });

  it('is unknown without PSI, after a gap, a boot or a clock that went back', () => {
    for (const next of [null, [90_000, 50], [2_000, 1], [500, 200]] as const) {
      const state = seen([
        [0, 100],
        [1_000, 110],
      ]);
      const after =
        next === null
          ? advanceStall(state, { at: 2_000, totalUs: null })
          : advanceStall(state, { at: next[0], totalUs: next[1] });
      expect(readStall(after)).toBeNaN();
    }
  });

  it('has a ladder of its own: what is quiet on the other one is an emergency here', () => {
    expect(stepLadder(calmLadder, { value: 0.45, at: 0 }, stallLadder).state.tier).toBe('emergency');
  });
});
