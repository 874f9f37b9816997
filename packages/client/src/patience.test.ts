import { NautilusError } from '@nautilus/contracts';
import { describe, expect, it } from 'vitest';
import { persist } from './patience.ts';
import { backoffMs, systemTiming, type Timing } from './timing.ts';

const timing: Timing = { ...systemTiming, firstBackoffMs: 1, longestBackoffMs: 2 };
const signal = new AbortController().signal;

function failing(code: 'unavailable' | 'over_budget', times: number): () => Promise<number> {
  let calls = 0;
  return async () => {
    calls += 1;
    if (calls <= times) throw new NautilusError({ code, message: `call ${calls}` });
    return calls;
  };
}

describe('patience', () => {
  it('tries again while nobody is there', async () => {
    expect(await persist('x', failing('unavailable', 3), { timing, patienceMs: 10_000, signal })).toBe(4);
  });

  it('does not try again what somebody has to change first', async () => {
    await expect(
      persist('x', failing('over_budget', 1), { timing, patienceMs: 10_000, signal }),
    ).rejects.toMatchObject({ code: 'over_budget', message: 'call 1' });
  });

  it('ends with the last failure, the number of attempts and the time', async () => {
    let now = 0;
    const clock: Timing = { ...timing, monotonic: () => (now += 40) };
    await expect(
      persist('x', failing('unavailable', 100), { timing: clock, patienceMs: 100, signal }),
    ).rejects.toMatchObject({
      code: 'unavailable',
      message: 'x: gave up after 3 attempts in 120 ms: call 3',
    });
  });
});

describe('back-off', () => {
  it('goes from 50 ms to 2 s, half of it chance', () => {
    const at = (attempt: number, chance: number): number =>
      backoffMs(attempt, { ...systemTiming, random: () => chance });
    expect([0, 1, 2, 5, 6, 1000].map((attempt) => at(attempt, 1))).toEqual([50, 100, 200, 1600, 2000, 2000]);
    expect(at(0, 0)).toBe(25);
    expect(at(1000, 0)).toBe(1000);
  });
});
