import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createArena } from './create-arena.ts';
import { type StrategyName, strategies } from './strategies.ts';
import { codeOf } from './testing/code-of.ts';

const capacity = 64 * 1024;
const granule = 64;

interface LiveBlock {
  handle: number;
  offset: number;
  /** Taken from the segment, rounding included. */
  bytes: number;
}

const alignUp = (value: number, unit: number) => Math.ceil(value / unit) * unit;

/**
 * Where a strategy must put a block, computed slowly from the definition; null: nowhere. Best fit may take any of the
 * smallest ranges that are enough, so its answer is the bytes of such a range. The C++ tests say what slabs promise.
 */
type Model = (live: readonly LiveBlock[], bytes: number, alignment: number) => number | null;

const models: Record<StrategyName, Model> = {
  first_fit(live, bytes, alignment) {
    const sorted = [...live].sort((a, b) => a.offset - b.offset);
    let end = 0;
    for (const block of [...sorted, { offset: capacity, bytes: 0 }]) {
      const at = alignUp(end, alignment);
      if (at + bytes <= block.offset) return at;
      end = block.offset + block.bytes;
    }
    return null;
  },
  best_fit(live, bytes, alignment) {
    const sorted = [...live].sort((a, b) => a.offset - b.offset);
    let end = 0;
    let best: { at: number; usable: number } | null = null;
    for (const block of [...sorted, { offset: capacity, bytes: 0 }]) {
      const at = alignUp(end, alignment);
      const usable = block.offset - at;
      if (usable >= bytes && (best === null || usable < best.usable)) best = { at, usable };
      end = block.offset + block.bytes;
    }
    return best?.usable ?? null;
  },
  slab: () => null,
  stack(live, bytes, alignment) {
    const newest = live.at(-1);
    const at = alignUp(newest === undefined ? 0 : newest.offset + newest.bytes, alignment);
    return at + bytes <= capacity ? at : null;
  },
  buddy(live, bytes) {
    // Best fit by order, then lowest: the free blocks are the largest aligned powers of two without a live block.
    const isFree = (at: number, size: number) =>
      at + size <= capacity &&
      live.every((block) => block.offset >= at + size || block.offset + block.bytes <= at);
    const freeBlocks = new Map<number, number[]>();
    const collect = (at: number, size: number) => {
      if (isFree(at, size)) freeBlocks.set(size, [...(freeBlocks.get(size) ?? []), at]);
      else if (size > granule && !live.some((block) => block.offset === at && block.bytes === size)) {
        collect(at, size / 2);
        collect(at + size / 2, size / 2);
      }
    };
    collect(0, capacity);
    for (let size = bytes; size <= capacity; size *= 2) {
      const lowest = freeBlocks.get(size)?.[0];
      if (lowest !== undefined) return lowest;
    }
    return null;
  },
};

function takenBytes(strategy: StrategyName, bytes: number, alignment: number): number {
  const rounded = alignUp(bytes, granule);
  return strategy === 'buddy' ? 2 ** Math.ceil(Math.log2(Math.max(rounded, alignment))) : rounded;
}

function expectFree(live: readonly LiveBlock[], at: number, bytes: number, alignment: number): void {
  expect(at % alignment).toBe(0);
  expect(at + bytes).toBeLessThanOrEqual(capacity);
  expect(live.every((block) => block.offset >= at + bytes || block.offset + block.bytes <= at)).toBe(true);
}

/** Bytes from there to the next live block. */
function usableAt(live: readonly LiveBlock[], at: number): number {
  return Math.min(capacity, ...live.map(({ offset }) => offset).filter((offset) => offset > at)) - at;
}

const steps = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        bytes: fc.integer({ min: 1, max: 9000 }),
        power: fc.integer({ min: 0, max: 7 }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ free: fc.nat() }) },
  ),
  { maxLength: 120 },
);

for (const strategy of Object.keys(strategies) as StrategyName[]) {
  describe(`arena with ${strategy}`, () => {
    it('puts every block where its name says, and gives all of it back', async () => {
      await fc.assert(
        fc.asyncProperty(steps, async (script) => {
          using arena = createArena({ strategy, bytes: capacity, minimumAlignment: granule });
          const live: LiveBlock[] = [];
          let failures = 0;
          for (const step of script) {
            if ('bytes' in step) {
              const alignment = granule * 2 ** step.power;
              const bytes = takenBytes(strategy, step.bytes, alignment);
              const expected = models[strategy](live, bytes, alignment);
              const handle = arena.allocate(step.bytes, alignment);
              const place = handle === null ? null : arena.offsetOf(handle);
              if (place !== null) expectFree(live, place, step.bytes, alignment);
              if (strategy === 'best_fit')
                expect(place === null ? null : usableAt(live, place)).toBe(expected);
              else if (strategy !== 'slab') expect(place).toBe(expected);
              if (handle === null) {
                failures += 1;
              } else {
                expect(arena.lengthOf(handle)).toBe(step.bytes);
                live.push({ handle, offset: arena.offsetOf(handle), bytes });
              }
            } else if (live.length > 0) {
              const at = strategy === 'stack' ? live.length - 1 : step.free % live.length;
              const [block] = live.splice(at, 1);
              if (block === undefined) throw new Error('no block at a valid index');
              arena.free(block.handle);
              expect(codeOf(() => arena.free(block.handle))).toBe('unknown_block');
            }
          }
          const liveBytes = live.reduce((sum, { bytes }) => sum + bytes, 0);
          expect(arena.stats()).toMatchObject({ liveBlocks: live.length, failures });
          if (strategy !== 'slab') expect(arena.stats().liveBytes).toBe(liveBytes);
          for (const { handle } of live.reverse()) arena.free(handle);
          expect(arena.stats()).toMatchObject({
            liveBlocks: 0,
            liveBytes: 0,
            freeBytes: capacity,
            largestFreeBytes: capacity,
          });
          expect(arena.allocate(capacity)).not.toBeNull();
        }),
        { numRuns: 150 },
      );
    });

    it('refuses stale, foreign and invented handles', () => {
      using arena = createArena({ strategy, bytes: capacity });
      using other = createArena({ strategy, bytes: capacity });
      const handle = arena.allocate(100) ?? 0;
      const foreign = other.allocate(100) ?? 0;
      expect(handle).toBeGreaterThan(0);
      expect(Number.isSafeInteger(handle)).toBe(true);
      for (const wrong of [foreign, handle + 1, 0, 2 ** 53 - 1]) {
        expect(codeOf(() => arena.free(wrong))).toBe('unknown_block');
        expect(codeOf(() => arena.offsetOf(wrong))).toBe('unknown_block');
      }
      for (const wrong of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
        expect(codeOf(() => arena.free(wrong))).toBe('invalid_argument');
      }
      arena.free(handle);
      arena.allocate(100);
      expect(codeOf(() => arena.lengthOf(handle))).toBe('unknown_block');
      expect(arena.stats().liveBlocks).toBe(1);
    });

    it('refuses numbers that are no size and says which it found', () => {
      using arena = createArena({ strategy, bytes: capacity });
      for (const bytes of [0, -5, 1.5, Number.NaN, 2 ** 53]) {
        expect(codeOf(() => arena.allocate(bytes))).toBe('invalid_argument');
      }
      for (const alignment of [0, 3, -64, 131_072, Number.NaN]) {
        expect(codeOf(() => arena.allocate(1, alignment))).toBe('invalid_argument');
      }
      expect(() => arena.allocate(-5)).toThrow(/bytes: expected a whole number .* found number -5/);
      expect(arena.allocate(2 ** 53 - 1)).toBeNull();
    });

    it('is closed once and refused afterwards', () => {
      const arena = createArena({ strategy, bytes: capacity });
      arena.close();
      arena.close();
      expect(codeOf(() => arena.allocate(1))).toBe('closed');
      expect(codeOf(() => arena.stats())).toBe('closed');
    });
  });
}

describe('stack order', () => {
  it('frees only the newest block, and rewinds to marks that still hold', () => {
    using arena = createArena({ strategy: 'stack', bytes: capacity });
    const empty = arena.mark();
    const first = arena.allocate(100) ?? 0;
    const afterFirst = arena.mark();
    arena.allocate(100);
    const afterSecond = arena.mark();
    expect(codeOf(() => arena.free(first))).toBe('order_violation');
    arena.rewind(afterFirst);
    expect(arena.stats().liveBlocks).toBe(1);
    arena.allocate(100);
    expect(codeOf(() => arena.rewind(afterSecond))).toBe('order_violation');
    expect(arena.stats().liveBlocks).toBe(2);
    arena.rewind(empty);
    expect(arena.stats()).toMatchObject({ liveBlocks: 0, freeBytes: capacity });
    expect(codeOf(() => arena.rewind(-1))).toBe('invalid_argument');
  });

  it('is for stacks only', () => {
    using arena = createArena({ strategy: 'first_fit', bytes: capacity });
    expect(codeOf(() => arena.mark())).toBe('unsupported');
    expect(codeOf(() => arena.rewind(0))).toBe('unsupported');
  });
});

describe('allocateAt', () => {
  it('rebuilds an arena block by block', () => {
    using arena = createArena({ strategy: 'first_fit', bytes: capacity });
    const handle = arena.allocateAt(1024, 100) ?? 0;
    expect(arena.offsetOf(handle)).toBe(1024);
    expect(arena.allocateAt(1088, 64)).toBeNull();
    expect(arena.allocateAt(capacity, 64)).toBeNull();
    expect(arena.allocateAt(2 ** 53 - 64, 64)).toBeNull();
    expect(codeOf(() => arena.allocateAt(1, 64))).toBe('invalid_argument');
    expect(arena.offsetOf(arena.allocate(1024) ?? 0)).toBe(0);
    expect(arena.offsetOf(arena.allocate(64) ?? 0)).toBe(1152);
  });

  it('is unsupported where a strategy chooses the offset', () => {
    using arena = createArena({ strategy: 'buddy', bytes: capacity });
    expect(codeOf(() => arena.allocateAt(0, 64))).toBe('unsupported');
  });
});

describe('createArena', () => {
  it('manages more than 4 GiB without touching any of it', () => {
    using arena = createArena({ strategy: 'first_fit', bytes: 2 ** 37 });
    arena.allocate(2 ** 36);
    expect(arena.offsetOf(arena.allocate(1) ?? 0)).toBe(2 ** 36);
  });

  it('refuses a strategy, an alignment or a size that it has not', () => {
    expect(codeOf(() => createArena({ strategy: 'toString' as 'stack', bytes: 64 }))).toBe(
      'invalid_argument',
    );
    expect(codeOf(() => createArena({ strategy: 'stack', bytes: 64, minimumAlignment: 48 }))).toBe(
      'invalid_argument',
    );
    expect(codeOf(() => createArena({ strategy: 'stack', bytes: 63 }))).toBe('invalid_argument');
    expect(codeOf(() => createArena({ strategy: 'stack', bytes: 2 ** 45 }))).toBe('too_large');
  });
});
