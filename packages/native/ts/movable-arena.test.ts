import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attachArena, createArena, recoverArena } from './create-arena.ts';
import { attachMovableArena, createMovableArena } from './create-movable-arena.ts';
import { ledgerBytesFor } from './ledger.ts';
import type { MovableArena } from './movable-arena.ts';
import type { Pin } from './pins.ts';
import { createSegment, mapSegment } from './segment.ts';
import { codeOf } from './testing/code-of.ts';
import { expected, fill, granule, holds, kib, mapNew, movable } from './testing/movable.ts';

const movableStrategies = ['first_fit', 'best_fit'] as const;

/** Blocks of one size, until nothing is free. */
function fillUp(arena: MovableArena, blockBytes: number): number[] {
  const handles: number[] = [];
  for (let handle = arena.allocate(blockBytes); handle !== null; handle = arena.allocate(blockBytes)) {
    fill(arena, handle, handles.length);
    handles.push(handle);
  }
  return handles;
}

type Step =
  | { do: 'allocate'; bytes: number; alignment: number }
  | { do: 'free' | 'pin' | 'release' | 'write'; which: number }
  | { do: 'compact'; maxBytes: number; maxMoves: number };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('allocate' as const),
      bytes: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 4000 })),
      alignment: fc.constantFrom(1, 64, 64, 256, 4096),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('free' as const, 'pin' as const, 'release' as const, 'write' as const),
      which: fc.nat(1000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('compact' as const),
      maxBytes: fc.constantFrom(1, 100, 3000, 2 ** 20),
      maxMoves: fc.constantFrom(1, 3, 128),
    }),
  },
);

describe('a movable arena', () => {
  for (const strategy of movableStrategies) {
    it(`with ${strategy} keeps contents under any script, and what is pinned in its place`, async () => {
      let moved = 0;
      let waited = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(anyStep, { minLength: 30, maxLength: 100 }), async (steps) => {
          const { payload, arena } = movable(strategy, 16 * kib);
          const live: { handle: number; seed: number; alignment: number }[] = [];
          const pins: { pin: Pin; seed: number; offset: number; isDead: boolean }[] = [];
          for (const [seed, step] of steps.entries()) {
            if (step.do === 'allocate') {
              const { bytes, alignment } = step;
              const room = Math.ceil(bytes / granule) * granule;
              const free = arena.stats().freeBytes;
              const handle = arena.allocate(bytes, alignment);
              const areAligned = [...live, step].every((block) => block.alignment <= granule);
              if (handle === null && pins.length === 0 && areAligned) expect(free).toBeLessThan(room);
              if (handle === null) continue;
              fill(arena, handle, seed);
              live.push({ handle, seed, alignment });
            } else if (step.do === 'compact') {
              arena.compact(step);
            } else if (step.do === 'release') {
              const [released] = pins.splice(step.which % Math.max(1, pins.length), 1);
              if (released === undefined) continue;
              const before = arena.stats().waitingBlocks;
              const isLast = !pins.some(({ pin }) => pin.handle === released.pin.handle);
              released.pin.release();
              expect(arena.stats().waitingBlocks).toBe(before - (released.isDead && isLast ? 1 : 0));
            } else if (live.length > 0) {
              const at = step.which % live.length;
              const block = live[at] as (typeof live)[number];
              if (step.do === 'pin') {
                const pin = arena.pin(block.handle);
                pins.push({ pin, seed: block.seed, offset: pin.offset, isDead: false });
              } else if (step.do === 'write') {
                if (pins.some(({ pin }) => pin.handle === block.handle)) continue;
                block.seed = seed;
                fill(arena, block.handle, seed);
              } else {
                arena.free(block.handle);
                live.splice(at, 1);
                for (const held of pins) held.isDead ||= held.pin.handle === block.handle;
                expect(codeOf(() => arena.free(block.handle))).toBe('unknown_block');
                expect(codeOf(() => arena.pin(block.handle))).toBe('unknown_block');
                waited = Math.max(waited, arena.stats().waitingBlocks);
              }
            }
            for (const { pin, seed: written, offset } of pins) {
              expect(pin.offset).toBe(offset);
              expect(Buffer.compare(pin.view(), expected(written, pin.length))).toBe(0);
              expect(Buffer.compare(payload.view(offset, pin.length), pin.view())).toBe(0);
            }
            for (const { handle, seed: written } of live) expect(holds(arena, handle, written)).toBe(true);
          }
          for (const { handle, alignment } of live) expect(arena.pin(handle).offset % alignment).toBe(0);
          moved += arena.figures().movedBlocks;
          arena.close();
          payload.close();
        }),
        { numRuns: 60 },
      );
      // Otherwise the scripts showed nothing.
      expect(moved).toBeGreaterThan(50);
      expect(waited).toBeGreaterThan(0);
    });

    it(`with ${strategy} gives out all that is free in one block, however scattered it was`, () => {
      const { arena } = movable(strategy, 1024 * kib);
      const handles = fillUp(arena, granule);
      expect(handles.length).toBe((1024 * kib) / granule);
      const kept = new Map(handles.map((handle, seed) => [handle, seed]));
      for (const [at, handle] of handles.entries()) {
        if (at % 3 !== 1) continue;
        arena.free(handle);
        kept.delete(handle);
      }
      const { freeBytes, largestFreeBytes } = arena.stats();
      expect(largestFreeBytes).toBe(granule);
      const large = arena.allocate(Math.floor(freeBytes * 0.9)) ?? 0;
      expect(large).toBeGreaterThan(0);
      fill(arena, large, 77);
      const rest = arena.allocate(arena.stats().freeBytes) ?? 0;
      expect(rest).toBeGreaterThan(0);
      expect(arena.stats().freeBytes).toBe(0);
      expect(arena.allocate(1)).toBeNull();
      for (const [handle, seed] of kept) expect(holds(arena, handle, seed)).toBe(true);
      expect(holds(arena, large, 77)).toBe(true);
    });
  }

  it('compacts by passes within their budget, and says what each did', () => {
    const { arena } = movable('best_fit', 256 * kib);
    const handles = fillUp(arena, 4 * kib);
    for (let at = 0; at < handles.length; at += 2) arena.free(handles[at] as number);
    const before = arena.stats();
    let growth = 0;
    let movedBlocks = 0;
    for (;;) {
      const pass = arena.compact({ maxBytes: 5000, maxMoves: 2 });
      expect(pass.movedBytes).toBeLessThanOrEqual(5000);
      expect(pass.movedBlocks).toBeLessThanOrEqual(3);
      growth += pass.largestFreeGrowthBytes;
      movedBlocks += pass.movedBlocks;
      if (!pass.more) break;
    }
    const after = arena.stats();
    expect(after.largestFreeBytes).toBe(after.freeBytes);
    expect(growth).toBe(after.largestFreeBytes - before.largestFreeBytes);
    expect(after).toMatchObject({ movedBlocks, freeBytes: before.freeBytes, liveBlocks: 32 });
    for (let at = 1; at < handles.length; at += 2) expect(holds(arena, handles[at] as number, at)).toBe(true);
    for (const wrong of [{ maxBytes: 0 }, { maxMoves: 0 }, { maxMoves: 1.5 }])
      expect(codeOf(() => arena.compact(wrong))).toBe('invalid_argument');
  });

  it('settles a move that rests between two passes when somebody pins the block', () => {
    const { arena } = movable('first_fit', 256 * kib);
    const hole = arena.allocate(granule) ?? 0;
    const block = arena.allocate(100 * kib) ?? 0;
    fill(arena, block, 5);
    arena.free(hole);
    expect(arena.compact({ maxBytes: kib })).toMatchObject({ movedBytes: kib, movedBlocks: 0, more: true });
    using pin = arena.pin(block);
    expect(pin.offset).toBe(0);
    expect(Buffer.compare(pin.view(), expected(5, 100 * kib))).toBe(0);
  });

  it('closed while a move rests leaves the block whole', () => {
    using payload = mapNew(256 * kib);
    using ledger = mapNew(ledgerBytesFor(256 * kib, granule));
    const wish = { strategy: 'first_fit', bytes: 256 * kib, payload, ledger } as const;
    const arena = createMovableArena(wish);
    const hole = arena.allocate(granule) ?? 0;
    const block = arena.allocate(100 * kib) ?? 0;
    fill(arena, block, 5);
    arena.free(hole);
    arena.compact({ maxBytes: kib });
    arena.close();
    using again = recoverArena(wish);
    const found = payload.view(again.offsetOf(block), again.lengthOf(block));
    expect(Buffer.compare(found, expected(5, 100 * kib))).toBe(0);
  });
});

describe('what a movable arena refuses', () => {
  it('is said clearly, and a closed mapping never ends the process', () => {
    const bytes = 64 * kib;
    const { payload, arena } = movable('best_fit', bytes);
    const handle = arena.allocate(100) ?? 0;
    const pin = arena.pin(handle);
    arena.allocate(1000);
    payload.close();
    for (const action of [
      () => arena.allocate(1),
      () => arena.free(handle),
      () => arena.pin(handle),
      () => arena.compact(),
      () => arena.stats(),
      () => pin.view(),
    ])
      expect(codeOf(action)).toBe('closed');
    pin.release();
    arena.close();
    expect(codeOf(() => arena.allocate(1))).toBe('closed');
    const open = mapNew(bytes);
    using segment = createSegment({ name: 'movable', bytes });
    using readOnly = mapSegment(segment, { access: 'read-only' });
    const wish = { strategy: 'first_fit', bytes, payload: open } as const;
    expect(codeOf(() => createMovableArena({ ...wish, payload }))).toBe('closed');
    expect(codeOf(() => createMovableArena({ ...wish, payload: readOnly }))).toBe('invalid_argument');
    expect(codeOf(() => createMovableArena({ ...wish, bytes: bytes * 2 }))).toBe('invalid_argument');
    expect(codeOf(() => createMovableArena({ ...wish, strategy: 'slab' as 'first_fit' }))).toBe(
      'unsupported',
    );
    expect(codeOf(() => createMovableArena({ ...wish, strategy: 'none' as 'first_fit' }))).toBe(
      'invalid_argument',
    );
  });

  it('is to be attached as what it is not', () => {
    const bytes = 64 * kib;
    const payload = mapNew(bytes);
    const ledger = mapNew(ledgerBytesFor(bytes, granule));
    using arena = createMovableArena({ strategy: 'first_fit', bytes, payload, ledger });
    expect(codeOf(() => attachArena({ ...arena.share(), magazines: false }, ledger))).toBe(
      'invalid_argument',
    );
    const plainLedger = mapNew(ledgerBytesFor(bytes, granule));
    using plain = createArena({ strategy: 'first_fit', bytes, ledger: plainLedger });
    const shared = { ...plain.share(), strategy: 'first_fit' as const };
    expect(codeOf(() => attachMovableArena(shared, { payload, ledger: plainLedger }))).toBe(
      'invalid_argument',
    );
  });
});
