import { describe, expect, it } from 'vitest';
import { SharedTask } from './shared-task.ts';

function deferred<T>(): { promise: Promise<T>; resolve(value: T): void; reject(error: unknown): void } {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}

describe('a shared task', () => {
  it('gives its value to all, and discards nothing', async () => {
    const { promise, resolve } = deferred<number>();
    const discarded: number[] = [];
    const task = new SharedTask(
      () => promise,
      (value) => discarded.push(value),
    );
    const joined = [task.join('a'), task.join('b')];
    resolve(5);
    expect(await Promise.all(joined)).toEqual([5, 5]);
    expect(task.isOver).toBe(true);
    expect(discarded).toEqual([]);
  });

  it('is given up when the last one leaves, and discards what comes then', async () => {
    const { promise, resolve } = deferred<number>();
    const discarded: number[] = [];
    let shared: AbortSignal | undefined;
    const task = new SharedTask(
      (signal) => {
        shared = signal;
        return promise;
      },
      (value) => discarded.push(value),
    );
    const one = new AbortController();
    const two = new AbortController();
    const joined = [task.join('a', one.signal), task.join('b', two.signal)];
    one.abort();
    await expect(joined[0]).rejects.toMatchObject({ code: 'cancelled', message: 'a was cancelled' });
    expect(shared?.aborted).toBe(false);
    two.abort();
    await expect(joined[1]).rejects.toMatchObject({ code: 'cancelled' });
    expect(shared?.aborted).toBe(true);
    resolve(5);
    await promise;
    await new Promise((next) => setImmediate(next));
    expect(discarded).toEqual([5]);
  });

  it('waits for the clean-up when it is aborted from outside', async () => {
    const { promise, reject } = deferred<number>();
    const task = new SharedTask(() => promise);
    const joined = task.join('a');
    let isClean = false;
    const aborting = task.abort(new Error('over')).then(() => {
      isClean = true;
    });
    await expect(joined).rejects.toMatchObject({ code: 'cancelled' });
    expect(isClean).toBe(false);
    reject(new Error('cleaned up'));
    await aborting;
    expect(isClean).toBe(true);
  });
});
