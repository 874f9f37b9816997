/** Pauses between attempts, and when attempts end. */
import { NautilusError } from '@nautilus/contracts';
import { describe, expect, it } from 'vitest';
import { backoff } from './backoff.ts';
import { manualClock } from './clock/manual-clock.ts';
import { retry } from './retry.ts';

const take = (pauses: Iterator<number>, count: number) =>
  Array.from({ length: count }, () => pauses.next().value);

describe('backoff', () => {
  it('grows by its factor up to the maximum', () => {
    const pauses = backoff({ minimumMs: 100, maximumMs: 1000, factor: 3, jitter: 0.5, random: () => 0 });
    expect(take(pauses, 5)).toEqual([100, 300, 900, 1000, 1000]);
  });

  it('lets chance take away at most the jitter', () => {
    const options = { minimumMs: 100, maximumMs: 100, jitter: 0.2 };
    expect(take(backoff({ ...options, random: () => 0.5 }), 1)).toEqual([90]);
    expect(take(backoff({ ...options, random: () => 1 }), 1)).toEqual([80]);
  });

  it('refuses what would not pause or not grow', () => {
    expect(() => backoff({ minimumMs: 0, maximumMs: 1, random: () => 0 }).next()).toThrow(RangeError);
    expect(() => backoff({ minimumMs: 2, maximumMs: 1, random: () => 0 }).next()).toThrow(RangeError);
    expect(() => backoff({ minimumMs: 1, maximumMs: 1, jitter: 2, random: () => 0 }).next()).toThrow(
      RangeError,
    );
  });
});

describe('retry', () => {
  const passing = () => new NautilusError({ code: 'unavailable', message: 'not yet' });

  it('tries again after each pause what may pass', async () => {
    const clock = manualClock();
    const at: number[] = [];
    const result = retry(
      (attempt) => {
        at.push(clock.monotonic());
        if (attempt < 3) throw passing();
        return 'done';
      },
      { clock, backoff: [10, 20, 40] },
    );
    await clock.advance(100);
    expect(await result).toBe('done');
    expect(at).toEqual([0, 10, 30]);
  });

  it('gives the error up at once when it will not pass, and at the end of the pauses', async () => {
    const clock = manualClock();
    let attempts = 0;
    const work = (error: Error) => () => {
      attempts += 1;
      throw error;
    };
    await expect(retry(work(new Error('a bug')), { clock, backoff: [10] })).rejects.toThrow('a bug');
    expect(attempts).toBe(1);
    const worn = expect(retry(work(passing()), { clock, backoff: [10, 10] })).rejects.toThrow('not yet');
    await clock.advance(20);
    await worn;
    expect(attempts).toBe(4);
  });

  it('asks the caller which errors may pass', async () => {
    const clock = manualClock();
    const result = retry((attempt) => (attempt === 1 ? Promise.reject(new Error('odd')) : attempt), {
      clock,
      backoff: [1],
      shouldRetry: (error, attempt) => attempt === 1 && error instanceof Error && error.message === 'odd',
    });
    await clock.advance(1);
    expect(await result).toBe(2);
  });

  it('ends with its signal, during a pause too', async () => {
    const clock = manualClock();
    const controller = new AbortController();
    const ended = expect(
      retry(() => Promise.reject(passing()), { clock, backoff: [1_000], signal: controller.signal }),
    ).rejects.toMatchObject({ code: 'cancelled' });
    await clock.advance(10);
    controller.abort();
    await ended;
    expect(clock.pending).toBe(0);
  });
});
