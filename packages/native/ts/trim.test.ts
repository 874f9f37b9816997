import { describe, expect, it } from 'vitest';
import { createArena } from './create-arena.ts';
import { createSegment, mapSegment, sealFutureWrites } from './segment.ts';

const mib = 2 ** 20;

describe('trimming an arena', () => {
  for (const strategy of ['slab', 'buddy', 'first_fit', 'best_fit', 'stack'] as const) {
    it(`with ${strategy} gives free pages back and keeps what lives`, () => {
      using segment = createSegment({ name: 'trim', bytes: 8 * mib });
      using mapping = mapSegment(segment, { access: 'read-write' });
      using arena = createArena({ strategy, bytes: 8 * mib, magazines: true });
      const blocks = Array.from({ length: 8 }, () => arena.allocate(mib / 2) ?? 0);
      for (const [at, handle] of blocks.entries()) mapping.view(arena.offsetOf(handle), mib / 2).fill(at + 1);
      expect(mapping.residentBytes()).toBe(4 * mib);
      for (const handle of blocks.slice(2).reverse()) arena.free(handle);
      const { askedBytes, releasedBytes, reason } = arena.trim(mapping, segment);
      expect(reason).toBeNull();
      expect(releasedBytes).toBe(3 * mib);
      expect(askedBytes).toBeGreaterThanOrEqual(releasedBytes);
      expect(mapping.residentBytes()).toBe(mib);
      for (const [at, handle] of blocks.slice(0, 2).entries())
        expect(mapping.view(arena.offsetOf(handle), mib / 2).every((byte) => byte === at + 1)).toBe(true);
      expect(arena.trim(mapping, segment)).toMatchObject({ releasedBytes: 0, reason: null });
    });
  }

  it('says why a sealed segment keeps its pages', ({ skip }) => {
    using segment = createSegment({ name: 'trim', bytes: mib });
    using mapping = mapSegment(segment, { access: 'read-write' });
    using arena = createArena({ strategy: 'first_fit', bytes: mib });
    mapping.view(0, mib).fill(1);
    const seal = sealFutureWrites(segment);
    if (!seal.sealed) skip(`segments cannot be sealed here: ${seal.reason}`);
    const { releasedBytes, reason } = arena.trim(mapping, segment);
    expect(releasedBytes).toBe(0);
    expect(reason).toMatch(/sealed/);
    expect(mapping.residentBytes()).toBe(mib);
  });
});
