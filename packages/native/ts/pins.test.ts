import { describe, expect, it } from 'vitest';
import { createMovableArena, recoverMovableArena } from './create-movable-arena.ts';
import { ledgerBytesFor } from './ledger.ts';
import { codeOf } from './testing/code-of.ts';
import { compactAll, expected, fill, granule, kib, mapNew, movable } from './testing/movable.ts';

describe('a pin', () => {
  it('keeps the memory of a freed block until it is released, and shows nothing after that', () => {
    const { payload, arena } = movable('first_fit', 64 * kib);
    const handle = arena.allocate(32 * kib) ?? 0;
    fill(arena, handle, 9);
    const first = arena.pin(handle);
    const second = arena.pin(handle);
    arena.free(handle);
    expect(arena.isLive(handle)).toBe(false);
    expect(codeOf(() => arena.pin(handle))).toBe('unknown_block');
    expect(codeOf(() => arena.lengthOf(handle))).toBe('unknown_block');
    expect(arena.stats()).toMatchObject({ freeBytes: 32 * kib, waitingBlocks: 1, liveBlocks: 0 });
    expect(arena.allocate(40 * kib)).toBeNull();
    first.release();
    first.release();
    expect(arena.stats().waitingBlocks).toBe(1);
    expect(Buffer.compare(second.view(), expected(9, 32 * kib))).toBe(0);
    second[Symbol.dispose]();
    expect(arena.stats()).toMatchObject({ freeBytes: 64 * kib, waitingBlocks: 0 });
    expect(second.isHeld).toBe(false);
    expect(codeOf(() => second.view())).toBe('closed');
    expect(codeOf(() => second.offset)).toBe('closed');
    expect(arena.allocate(64 * kib)).not.toBeNull();
    payload.close();
  });

  it('shows parts of its block and nothing beside it', () => {
    const { arena } = movable('best_fit', 64 * kib);
    const handle = arena.allocate(1000) ?? 0;
    fill(arena, handle, 3);
    using pin = arena.pin(handle);
    expect(Buffer.compare(pin.view(100, 50), expected(3, 1000).subarray(100, 150))).toBe(0);
    expect(pin.view(1000)).toHaveLength(0);
    for (const [start, length] of [
      [-1, 1],
      [0, 1001],
      [1000, 1],
      [1, -1],
      [Number.NaN, 1],
    ] as const)
      expect(codeOf(() => pin.view(start, length))).toBe('invalid_argument');
  });

  it('is released by use() when the action returns, throws, or settles', async () => {
    const { arena } = movable('first_fit', 64 * kib);
    const hole = arena.allocate(granule) ?? 0;
    const handle = arena.allocate(100) ?? 0;
    const moves = () => {
      compactAll(arena);
      return arena.figures().movedBlocks > 0;
    };
    arena.free(hole);
    expect(() =>
      arena.use(handle, () => {
        throw new RangeError('inside');
      }),
    ).toThrow(RangeError);
    let finish = (_: string) => {};
    const running = arena.use(handle, async (bytes) => {
      bytes[0] = 42;
      const word = await new Promise<string>((resolve) => {
        finish = resolve;
      });
      return `${word} ${bytes[0]}`;
    });
    expect(moves()).toBe(false);
    finish('done');
    expect(await running).toBe('done 42');
    await expect(arena.use(handle, () => Promise.reject(new RangeError('later')))).rejects.toThrow('later');
    expect(moves()).toBe(true);
    expect(arena.use(handle, (bytes) => bytes[0])).toBe(42);
  });

  it('is counted up to a limit, and refused above it', () => {
    const { arena } = movable('first_fit', 64 * kib);
    const handle = arena.allocate(100) ?? 0;
    const pins = Array.from({ length: 65_534 }, () => arena.pin(handle));
    expect(codeOf(() => arena.pin(handle))).toBe('backpressure');
    pins.pop()?.release();
    arena.pin(handle).release();
  });

  it('is given for live blocks of its arena only, also when slots are used again', () => {
    const { arena } = movable('first_fit', 64 * kib);
    const stale = arena.allocate(100) ?? 0;
    arena.free(stale);
    const handle = arena.allocate(100) ?? 0;
    expect(handle % 2 ** 32).toBe(stale % 2 ** 32);
    const foreign = movable('first_fit', 64 * kib).arena.allocate(100) ?? 0;
    for (const wrong of [stale, foreign, 0, handle + 1, handle + 0.5, handle + 2 ** 24, handle + 2 ** 32]) {
      expect(arena.isLive(wrong)).toBe(false);
      for (const action of [() => arena.pin(wrong), () => arena.lengthOf(wrong), () => arena.free(wrong)])
        expect(['unknown_block', 'invalid_argument']).toContain(codeOf(action));
    }
    for (const invented of [-handle, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY])
      expect(codeOf(() => arena.pin(invented))).toBe('invalid_argument');
    expect(arena.lengthOf(handle)).toBe(100);
  });

  it('of an arena that was closed releases nothing in the one that came after it', () => {
    using payload = mapNew(64 * kib);
    using ledger = mapNew(ledgerBytesFor(64 * kib, granule));
    const wish = { strategy: 'first_fit', bytes: 64 * kib, payload, ledger } as const;
    const arena = createMovableArena(wish);
    const handle = arena.allocate(100) ?? 0;
    const stale = arena.pin(handle);
    arena.close();
    expect(codeOf(() => stale.view())).toBe('closed');
    using again = recoverMovableArena(wish);
    using pin = again.pin(handle);
    stale.release();
    again.free(handle);
    expect(again.stats().waitingBlocks).toBe(1);
    pin.release();
    expect(again.stats().waitingBlocks).toBe(0);
  });
});
