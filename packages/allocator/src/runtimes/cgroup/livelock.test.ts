import { describe, expect, it } from 'vitest';
import type { Observation, Psi } from '../runtime.ts';
import { judgeLivelock } from './livelock.ts';

function look(atMs: number, highEvents: number | null, psi: Psi | null, incarnation = '1') {
  const missing: Record<string, string> = { highEvents: 'v1 has none', psi: 'psi=0' };
  return {
    atMs,
    observation: { container: { id: 'c', incarnation }, highEvents, psi, missing } as Observation,
  };
}

const us = (fullTotalUs: number): Psi => ({ someTotalUs: fullTotalUs, fullTotalUs });

describe('livelock at memory.high', () => {
  it.each([
    ['stands still', 30, 2_900_000, true],
    ['one task that sleeps 2 s at a time', 2, 2_800_000, true],
    ['over the limit all the time, and reclaiming well', 3_000, 300_000, false],
    ['stalls without memory.high', 0, 2_900_000, false],
    ['calm', 0, 0, false],
  ])('%s', (_, events, fullUs, livelocked) => {
    const verdict = judgeLivelock(look(1_000, 5, us(7)), look(4_000, 5 + events, us(7 + fullUs)));
    expect(verdict.livelocked).toBe(livelocked);
    expect(verdict.highEventsPerSecond).toBeCloseTo(events / 3);
    expect(verdict.fullShare).toBeCloseTo(fullUs / 3_000_000);
    expect(verdict.reason).toMatch(/high events\/s, PSI full \d+ %/);
  });

  it.each([
    ['too short', look(0, 0, us(0)), look(999, 100, us(999_000)), /too short/],
    ['another container', look(0, 0, us(0)), look(3_000, 100, us(0), '2'), /different containers/],
    ['no high events', look(0, null, us(0)), look(3_000, null, us(0)), /v1 has none/],
    ['no PSI', look(0, 0, null), look(3_000, 1, null), /psi=0/],
  ])('cannot be known: %s', (_, before, after, reason) => {
    expect(judgeLivelock(before, after)).toMatchObject({
      livelocked: null,
      fullShare: null,
      reason: expect.stringMatching(reason),
    });
  });
});
