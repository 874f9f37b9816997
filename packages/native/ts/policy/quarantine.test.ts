import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createArena } from '../create-arena.ts';
import { createSegment, mapSegment } from '../segment.ts';
import { codeOf } from '../testing/code-of.ts';
import { type Damage, Quarantine } from './quarantine.ts';

const mib = 2 ** 20;
const arena = () => createArena({ strategy: 'best_fit', bytes: mib, magazines: true });
const must = (handle: number | null): number => {
  if (handle === null) throw new Error('nothing fitted');
  return handle;
};

describe('quarantine', () => {
  function rig(restingBytes = mib) {
    const payload = createSegment({ name: 'quarantine', bytes: mib });
    const mapping = mapSegment(payload, { access: 'read-write' });
    const damages: Damage[] = [];
    const upstream = arena();
    const quarantine = new Quarantine(upstream, {
      view: (offset, length) => mapping.view(offset, length),
      onDamage: (damage) => damages.push(damage),
      restingBytes,
    });
    return { quarantine, damages, upstream, view: (at: number, length: number) => mapping.view(at, length) };
  }

  it('finds a write behind a block, before it, and after its end', () => {
    const { quarantine, damages, view } = rig();
    const handle = must(quarantine.allocate(100));
    const offset = quarantine.offsetOf(handle);
    view(offset, 100).fill(7);
    view(offset - 1, 1)[0] = 1;
    view(offset + 100, 1)[0] = 2;
    quarantine.free(handle);
    view(offset + 50, 1)[0] = 3;
    quarantine.release();
    expect(damages).toEqual([
      { kind: 'before', handle, offset: offset - 1, expected: 0xfd, found: 1 },
      { kind: 'behind', handle, offset: offset + 100, expected: 0xfd, found: 2 },
      { kind: 'after_free', handle, offset: offset + 50, expected: 0xdd, found: 3 },
    ]);
  });

  it('refuses what is no size, and goes on when its callback throws', () => {
    const { quarantine, upstream, view } = rig();
    for (const wrong of [0, -5, Number.NaN])
      expect(codeOf(() => quarantine.allocate(wrong))).toBe('invalid_argument');
    const options = { view, onDamage: () => undefined };
    for (const restingBytes of [-1, Number.NaN])
      expect(codeOf(() => new Quarantine(upstream, { ...options, restingBytes }))).toBe('invalid_argument');
    const strict = new Quarantine(upstream, {
      view,
      restingBytes: 0,
      onDamage: ({ kind }) => {
        throw new Error(kind);
      },
    });
    const handle = must(strict.allocate(100));
    view(strict.offsetOf(handle) + 100, 1)[0] = 1;
    expect(() => strict.free(handle)).toThrow('behind');
    strict.free(must(strict.allocate(100)));
    strict.release();
    expect(upstream.stats().liveBlocks).toBe(0);
  });

  it('says nothing about a program without mistakes, and catches a second free of what rests', async () => {
    const { quarantine, damages, upstream, view } = rig(100_000);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 9000 }), { maxLength: 100 }), async (script) => {
        const live: number[] = [];
        for (const bytes of script) {
          const oldest = live[0];
          if (bytes % 3 === 0 && oldest !== undefined) {
            live.shift();
            quarantine.free(oldest);
            expect(codeOf(() => quarantine.free(oldest))).toBe('unknown_block');
            continue;
          }
          const handle = quarantine.allocate(bytes, 2 ** (bytes % 13));
          if (handle === null) continue;
          expect(quarantine.lengthOf(handle)).toBe(bytes);
          expect(quarantine.offsetOf(handle) % 2 ** (bytes % 13)).toBe(0);
          view(quarantine.offsetOf(handle), bytes).fill(9);
          live.push(handle);
        }
        expect(quarantine.resting.bytes).toBeLessThanOrEqual(100_000);
        for (const handle of live) quarantine.free(handle);
      }),
      { numRuns: 40 },
    );
    quarantine.release();
    expect(damages).toEqual([]);
    expect(upstream.stats().liveBlocks).toBe(0);
  });
});
