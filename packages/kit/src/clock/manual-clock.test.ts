/** Time moved by hand, and the rules of repetition that it makes visible. */
import { describe, expect, it } from 'vitest';
import { manualClock } from './manual-clock.ts';
import { systemClock } from './system-clock.ts';

const rethrow = (error: unknown): void => {
  throw error;
};

describe('manualClock', () => {
  it('runs what falls due in the order of time, and shows each its own moment', async () => {
    const clock = manualClock(1_000);
    const seen: string[] = [];
    const wait = async (name: string, delayMs: number) => {
      await clock.sleep(delayMs);
      seen.push(`${name} ${clock.now()} ${clock.monotonic()}`);
    };
    const waits = [wait('late', 30), wait('early', 10), wait('also early', 10)];
    await clock.advance(9);
    expect(seen).toEqual([]);
    await clock.advance(21);
    await Promise.all(waits);
    expect(seen).toEqual(['early 1010 10', 'also early 1010 10', 'late 1030 30']);
    expect(clock.pending).toBe(0);
  });

  it('runs timers that other timers set within the same advance', async () => {
    const clock = manualClock();
    const chain = (async () => {
      for (let step = 0; step < 3; step += 1) await clock.sleep(10);
      return clock.monotonic();
    })();
    await clock.advance(100);
    expect(await chain).toBe(30);
    expect(clock.monotonic()).toBe(100);
  });

  it('does not go back', async () => {
    await expect(manualClock().advance(-1)).rejects.toThrow(RangeError);
  });
});

describe.each([
  ['manual', manualClock],
  ['system', systemClock],
])('sleep of the %s clock', (_, create) => {
  it('rejects when its signal aborts, before or during', async () => {
    const clock = create();
    await expect(clock.sleep(60_000, AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' });
    const controller = new AbortController();
    const sleeping = expect(clock.sleep(60_000, controller.signal)).rejects.toMatchObject({
      code: 'cancelled',
    });
    controller.abort();
    await sleeping;
  });
});

describe('systemClock', () => {
  it('sleeps about as long as asked, and longer than a timer can', async () => {
    const clock = systemClock();
    const startedAt = clock.monotonic();
    await clock.sleep(20);
    expect(clock.monotonic() - startedAt).toBeGreaterThanOrEqual(19);
    const controller = new AbortController();
    let isOver = false;
    const long = clock.sleep(2 ** 31 + 5, controller.signal).then(
      () => {
        isOver = true;
      },
      () => undefined,
    );
    await clock.sleep(10);
    expect(isOver).toBe(false);
    controller.abort();
    await long;
  });
});

describe('every', () => {
  it('runs at the multiples of its interval, not at once', async () => {
    const clock = manualClock();
    const at: number[] = [];
    clock.every(10, () => void at.push(clock.monotonic()), { onError: rethrow });
    await clock.advance(35);
    expect(at).toEqual([10, 20, 30]);
  });

  it('has one run in flight and skips what it missed', async () => {
    const clock = manualClock();
    const at: number[] = [];
    let running = 0;
    let most = 0;
    clock.every(
      10,
      async () => {
        at.push(clock.monotonic());
        running += 1;
        most = Math.max(most, running);
        await clock.sleep(25);
        running -= 1;
      },
      { onError: rethrow },
    );
    await clock.advance(80);
    expect(at).toEqual([10, 40, 70]);
    expect(most).toBe(1);
  });

  it('joins requests during a run into one more run', async () => {
    const clock = manualClock();
    const at: number[] = [];
    const ticker = clock.every(
      100,
      async () => {
        at.push(clock.monotonic());
        await clock.sleep(10);
      },
      { onError: rethrow },
    );
    await clock.advance(5);
    ticker.trigger();
    ticker.trigger();
    ticker.trigger();
    await clock.advance(95);
    expect(at).toEqual([5, 15, 100]);
  });

  it('hands errors over and goes on', async () => {
    const clock = manualClock();
    const errors: unknown[] = [];
    clock.every(10, () => Promise.reject(new Error('no')), { onError: (error) => errors.push(error) });
    await clock.advance(20);
    expect(errors).toMatchObject([{ message: 'no' }, { message: 'no' }]);
  });

  it('ends with its signal, and stop waits for the run in flight', async () => {
    const clock = manualClock();
    const controller = new AbortController();
    let runs = 0;
    const count = () => {
      runs += 1;
    };
    clock.every(10, count, { signal: controller.signal, onError: rethrow });
    await clock.advance(10);
    controller.abort();
    await clock.advance(50);
    expect(runs).toBe(1);

    let isDone = false;
    const ticker = clock.every(
      10,
      async () => {
        await clock.sleep(5);
        isDone = true;
      },
      { onError: rethrow },
    );
    await clock.advance(10);
    const stopped = ticker.stop().then(() => isDone);
    await clock.advance(5);
    expect(await stopped).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('refuses an interval that is not positive', () => {
    expect(() => manualClock().every(0, () => undefined, { onError: rethrow })).toThrow(RangeError);
  });
});
