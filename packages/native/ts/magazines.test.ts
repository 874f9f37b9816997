import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Arena } from './arena.ts';
import { attachArena, createArena, recoverArena } from './create-arena.ts';
import { ledgerBytesFor, readLedger } from './ledger.ts';
import { slot, slotsAt, wordsPerSlot } from './ledger-layout.ts';
import type { Mapping } from './mapping.ts';
import { createSegment, mapSegment } from './segment.ts';
import { classFor, classGranules, sizeClasses } from './size-class.ts';
import { codeOf } from './testing/code-of.ts';

const mib = 2 ** 20;
const granule = 64;
const strategies = ['slab', 'buddy', 'first_fit', 'best_fit'] as const;

function ledgerFor(bytes: number): Mapping {
  using segment = createSegment({ name: 'magazines', bytes: ledgerBytesFor(bytes, granule) });
  return mapSegment(segment, { access: 'read-write' });
}

interface Live {
  readonly handle: number;
  readonly offset: number;
  readonly length: number;
}

function expectApart(live: readonly Live[]): void {
  let end = 0;
  for (const block of [...live].sort((a, b) => a.offset - b.offset)) {
    expect(block.offset).toBeGreaterThanOrEqual(end);
    end = block.offset + block.length;
  }
}

/** Allocates and frees as the numbers say. */
function churn(arena: Arena, script: readonly number[]): Live[] {
  const live: Live[] = [];
  for (const number of script) {
    if (number % 3 === 0 && live.length > 0) {
      const [gone] = live.splice(number % live.length, 1);
      arena.free(gone?.handle ?? 0);
      expect(arena.isLive(gone?.handle ?? 0)).toBe(false);
      continue;
    }
    const length = 1 + (number % 20_000);
    const handle = arena.allocate(length);
    if (handle !== null) live.push({ handle, length, offset: arena.offsetOf(handle) });
  }
  return live;
}

describe('size classes', () => {
  it('hold what they are for, and no smaller class does', () => {
    for (let granules = 1; granules < 70_000; granules += granules < 5000 ? 1 : 37) {
      const sizeClass = classFor(granules);
      expect(classGranules(sizeClass)).toBeGreaterThanOrEqual(granules);
      if (sizeClass > 0) expect(classGranules(sizeClass - 1)).toBeLessThan(granules);
    }
    expect(classFor(classGranules(sizeClasses - 1) + 1)).toBeGreaterThanOrEqual(sizeClasses);
  });
});

for (const strategy of strategies) {
  describe(`magazines over ${strategy}`, () => {
    it('give blocks that are apart, count them, and give every byte back', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.nat({ max: 10 ** 6 }), { maxLength: 400 }), async (script) => {
          using arena = createArena({ strategy, bytes: 4 * mib, magazines: true });
          const live = churn(arena, script);
          expectApart(live);
          for (const { handle, length } of live) expect(arena.lengthOf(handle)).toBe(length);
          const stats = arena.stats();
          expect(stats.liveBlocks).toBe(live.length);
          expect(stats.liveBytes + stats.cachedBytes + stats.freeBytes).toBe(4 * mib);
          expect(stats.cachedBytes).toBeLessThanOrEqual(mib / 4);
          for (const { handle } of live) arena.free(handle);
          for (const { handle } of live) expect(codeOf(() => arena.free(handle))).toBe('unknown_block');
          arena.flush();
          expect(arena.stats()).toMatchObject({
            liveBlocks: 0,
            liveBytes: 0,
            cachedBytes: 0,
            freeBytes: 4 * mib,
          });
        }),
        { numRuns: 60 },
      );
    });

    it('leave a ledger from which another arena recovers the published blocks and nothing else', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.nat({ max: 10 ** 6 }), { maxLength: 300 }), async (script) => {
          using ledger = ledgerFor(2 * mib);
          // Not closed before: a killed owner closes nothing.
          const first = createArena({ strategy, bytes: 2 * mib, ledger, magazines: true });
          const live = churn(first, script);
          using dead = ledgerFor(2 * mib);
          dead.view(0, dead.bytes).set(ledger.view(0, ledger.bytes));
          // In the copy nobody owns it any more: the first word of the owner's record.
          dead.view(192, 8).fill(0);
          first.close();
          using second = recoverArena({ strategy, bytes: 2 * mib, ledger: dead, magazines: true });
          for (const { handle, offset, length } of live) {
            expect(second.offsetOf(handle)).toBe(offset);
            expect(second.lengthOf(handle)).toBe(length);
          }
          expect(second.stats()).toMatchObject({ liveBlocks: live.length, cachedBytes: 0 });
          const later = churn(second, script);
          expectApart([...live, ...later]);
          for (const { handle } of [...live, ...later]) second.free(handle);
          second.flush();
          expect(second.stats()).toMatchObject({ liveBlocks: 0, freeBytes: 2 * mib });
        }),
        { numRuns: 40 },
      );
    });

    it('do not make an allocation fail that fits without them', () => {
      using arena = createArena({ strategy, bytes: mib, magazines: true });
      for (let size = 64; size < 8000; size *= 1.3) arena.free(arena.allocate(Math.floor(size)) ?? 0);
      expect(arena.stats().cachedBytes).toBeGreaterThan(0);
      expect(arena.allocate(mib)).not.toBeNull();
      expect(arena.stats().cachedBytes).toBe(0);
    });

    it('stand in the way of no other thread, of no batch and of no given place', () => {
      using ledger = ledgerFor(mib);
      using first = createArena({ strategy, bytes: mib, ledger, magazines: true });
      using second = attachArena(first.share(), ledger);
      second.free(second.allocate(1000) ?? 0);
      expect(first.allocate(mib)).toBeNull();
      expect(first.stats().failures).toBe(1);
      // It was asked, and answers at its next free.
      second.free(second.allocate(1000) ?? 0);
      const whole = first.allocate(mib) ?? 0;
      expect(first.isLive(whole)).toBe(true);
      first.free(whole);
      first.free(first.allocate(1000) ?? 0);
      expect(first.stats().cachedBytes).toBeGreaterThan(0);
      const handles = new Float64Array(1);
      expect(first.allocateMany(new Float64Array([mib]), handles)).toBe(1);
      first.freeMany(handles);
      first.free(first.allocate(1000) ?? 0);
      if (strategy === 'first_fit' || strategy === 'best_fit')
        expect(first.allocateAt(0, mib)).not.toBeNull();
    });

    it('retire a slot whose generations are used up', () => {
      using ledger = ledgerFor(mib);
      using arena = createArena({ strategy, bytes: mib, ledger, magazines: true });
      const words = new Int32Array(ledger.view(0, ledger.bytes).buffer, 0, ledger.bytes / 4);
      const handle = arena.allocate(100) ?? 0;
      const at = slotsAt + (handle % 2 ** 24) * wordsPerSlot + slot.word;
      words[at] = ((words[at] ?? 0) & ~0x1f_ff_ff) | 0x1f_ff_ff;
      const last = 0x1f_ff_ff * 2 ** 32 + (handle % 2 ** 32);
      expect(arena.isLive(last)).toBe(true);
      arena.free(last);
      expect(codeOf(() => arena.free(last))).toBe('unknown_block');
      for (let round = 0; round < 1000; round += 1) {
        const next = arena.allocate(100) ?? 0;
        expect(next % 2 ** 24).not.toBe(handle % 2 ** 24);
        if (round % 2 === 0) arena.free(next);
      }
      expect(arena.stats().liveBlocks).toBe(500);
    });
  });
}

describe('arenas with magazines', () => {
  it('take no array that changes, nor a size that is none, for sizes', () => {
    using arena = createArena({ strategy: 'slab', bytes: mib, magazines: true });
    const handles = new Float64Array(3);
    for (const wrong of [0, -1, 1.5, Number.NaN]) {
      expect(() => arena.allocateMany(new Float64Array([10, wrong, 10]), handles)).toThrow(/sizes\[1\]/);
      expect(arena.stats().liveBlocks).toBe(0);
    }
  });

  it('free what came by a native call, and the other way round', () => {
    using arena = createArena({ strategy: 'slab', bytes: mib, magazines: true });
    const handles = new Float64Array(100);
    expect(arena.allocateMany(new Float64Array(100).fill(200), handles)).toBe(100);
    for (const handle of handles) arena.free(handle);
    expect(arena.stats()).toMatchObject({ liveBlocks: 0, allocations: 100, frees: 100 });
    for (let at = 0; at < 100; at += 1) handles[at] = arena.allocate(200) ?? 0;
    arena.freeMany(handles);
    expect(arena.stats()).toMatchObject({ liveBlocks: 0, allocations: 200, frees: 200 });
    expect(codeOf(() => arena.freeMany(handles))).toBe('unknown_block');
  });

  it('tell a reader of the ledger what is live while they work', () => {
    using ledger = ledgerFor(mib);
    using arena = createArena({ strategy: 'best_fit', bytes: mib, ledger, magazines: true });
    const handle = arena.allocate(1000) ?? 0;
    expect(readLedger(ledger)).toMatchObject({ liveBlocks: 1, liveBytes: 1024 });
    arena.free(handle);
    expect(readLedger(ledger)).toMatchObject({ liveBlocks: 0, liveBytes: 0, allocations: 1, frees: 1 });
    expect(readLedger(ledger)?.cachedBytes).toBeGreaterThan(0);
  });

  it('are none for a stack, whose order they would break', () => {
    using arena = createArena({ strategy: 'stack', bytes: mib, magazines: true });
    expect(arena.hasMagazines).toBe(false);
  });

  it('refuse the same wrong numbers as without', () => {
    using arena = createArena({ strategy: 'slab', bytes: mib, magazines: true });
    const handle = arena.allocate(100) ?? 0;
    for (const wrong of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, handle + 0.5]) {
      expect(codeOf(() => arena.free(wrong))).toBe('invalid_argument');
    }
    for (const wrong of [0, handle + 1, handle + 2 ** 24, handle + 2 ** 32, 2 ** 53 - 1]) {
      expect(codeOf(() => arena.free(wrong))).toBe('unknown_block');
    }
    for (const bytes of [0, -5, 1.5, Number.NaN])
      expect(codeOf(() => arena.allocate(bytes))).toBe('invalid_argument');
    arena.free(handle);
  });
});
