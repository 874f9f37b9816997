import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createArena } from '../create-arena.ts';
import { codeOf } from '../testing/code-of.ts';
import type { Allocator } from './allocator.ts';
import { Limit } from './limit.ts';
import { OnFailure } from './on-failure.ts';
import { Statistics } from './statistics.ts';
import { TraceLog, traceRecordBytes } from './trace-log.ts';
import { Tracking } from './tracking.ts';

const mib = 2 ** 20;
const arena = () => createArena({ strategy: 'best_fit', bytes: mib, magazines: true });
const must = (handle: number | null): number => {
  if (handle === null) throw new Error('nothing fitted');
  return handle;
};

/** mulberry32: a seed gives the same numbers everywhere. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('limit', () => {
  it('never lets more live than allowed, and says what it refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 3000 }), { maxLength: 200 }), async (script) => {
        using upstream = arena();
        const limited = new Limit(upstream, { liveBytes: 10_000, liveBlocks: 8 });
        const live: { handle: number; bytes: number }[] = [];
        for (const bytes of script) {
          const [oldest] = live;
          if (bytes % 4 === 0 && oldest !== undefined) {
            live.shift();
            limited.free(oldest.handle);
            continue;
          }
          const before = live.reduce((sum, block) => sum + block.bytes, 0);
          const handle = limited.allocate(bytes);
          if (handle !== null) live.push({ handle, bytes });
          else if (before + bytes > 10_000)
            expect(limited.lastRefusal).toEqual({
              kind: 'bytes',
              limit: 10_000,
              found: before,
              asked: bytes,
            });
          else expect(limited.lastRefusal).toEqual({ kind: 'blocks', limit: 8, found: 8, asked: 1 });
          expect(limited.live).toEqual({
            bytes: live.reduce((sum, block) => sum + block.bytes, 0),
            blocks: live.length,
          });
          expect(limited.live.bytes).toBeLessThanOrEqual(10_000);
        }
      }),
    );
  });

  it('counts only what it let through', () => {
    using upstream = arena();
    const below = must(upstream.allocate(5000));
    const limited = new Limit(upstream, { liveBytes: 100 });
    limited.free(below);
    expect(limited.live).toEqual({ bytes: 0, blocks: 0 });
    expect(limited.allocate(101)).toBeNull();
  });

  it('counts nothing for a block that was freed before', () => {
    using upstream = arena();
    const limited = new Limit(upstream, { liveBytes: 1000 });
    const handle = must(limited.allocate(600));
    limited.free(handle);
    expect(codeOf(() => limited.free(handle))).toBe('unknown_block');
    expect(limited.live).toEqual({ bytes: 0, blocks: 0 });
  });
});

describe('statistics', () => {
  it('count in scopes, and fold a scope into the one around it', () => {
    using upstream = arena();
    const counted = new Statistics(upstream);
    const first = must(counted.allocate(100));
    counted.push();
    const second = must(counted.allocate(50));
    counted.free(first);
    counted.free(second);
    expect(counted.pop()).toEqual({
      bytes: { current: -100, peak: 50, total: 50 },
      blocks: { current: -1, peak: 1, total: 1 },
    });
    expect(counted.figures).toEqual({
      bytes: { current: 0, peak: 150, total: 150 },
      blocks: { current: 0, peak: 2, total: 2 },
    });
    expect(counted.pop()).toBeNull();
  });
});

describe('tracking', () => {
  it('names the caller of what is still live', () => {
    using upstream = arena();
    const tracked = new Tracking(upstream, { sampleBytes: 1 });
    function leak() {
      return must(tracked.allocate(300));
    }
    leak();
    const freed = leak();
    tracked.free(freed);
    const [site, ...others] = tracked.report();
    expect(others).toEqual([]);
    expect(site).toMatchObject({ samples: 1, sampledBytes: 300, estimatedBlocks: 1, estimatedBytes: 300 });
    expect(site?.site).toMatch(/at leak \(.*policy\.test\.ts/);
    expect(tracked.outstanding()).toHaveLength(1);
  });

  it('leaves no block behind when the site cannot be named', () => {
    using upstream = arena();
    const site = () => {
      throw new Error('no site');
    };
    const tracked = new Tracking(upstream, { sampleBytes: 1, site });
    expect(() => tracked.allocate(10)).toThrow('no site');
    expect(upstream.stats().liveBlocks).toBe(0);
  });

  it('estimates from samples what every site holds', () => {
    const upstream = createArena({ strategy: 'slab', bytes: 64 * mib, magazines: true });
    let site = '';
    const tracked = new Tracking(upstream, { sampleBytes: 4096, random: seeded(7), site: () => site });
    const plan = { small: { bytes: 100, count: 100_000 }, large: { bytes: 5000, count: 2000 } };
    for (const [name, { bytes, count }] of Object.entries(plan)) {
      site = name;
      for (let made = 0; made < count; made += 1) must(tracked.allocate(bytes));
    }
    const report = new Map(tracked.report().map((entry) => [entry.site, entry.estimatedBytes]));
    // Poisson: the error of about 2,400 samples is 2 %, five times of which is allowed.
    expect(report.get('small')).toBeGreaterThan(0.9 * 10_000_000);
    expect(report.get('small')).toBeLessThan(1.1 * 10_000_000);
    expect(report.get('large')).toBeGreaterThan(0.9 * 10_000_000);
    expect(report.get('large')).toBeLessThan(1.1 * 10_000_000);
    upstream.close();
  });
});

describe('a trace log', () => {
  it('is a trace that the replay tools read', () => {
    using upstream = arena();
    const chunks: Uint8Array[] = [];
    const early = must(upstream.allocate(10));
    const traced = new TraceLog(upstream, { sink: (records) => chunks.push(records), batch: 2 });
    const first = must(traced.allocate(100));
    traced.free(early);
    traced.free(first);
    must(traced.allocate(200));
    expect(chunks).toHaveLength(1);
    traced.flush();
    const bytes = Buffer.concat(chunks);
    const records = Array.from({ length: bytes.length / traceRecordBytes }, (_, at) => [
      bytes.readUInt32LE(at * 16),
      bytes.readUInt32LE(at * 16 + 4),
      Number(bytes.readBigUInt64LE(at * 16 + 8)),
    ]);
    expect(records).toEqual([
      [0, 0, 100],
      [1, 0, 0],
      [0, 1, 200],
    ]);
    expect(traced.lost).toBe(0);
  });

  it('refuses a batch that is no number of records', () => {
    using upstream = arena();
    for (const batch of [0, Number.NaN])
      expect(codeOf(() => new TraceLog(upstream, { sink: () => undefined, batch }))).toBe('invalid_argument');
  });

  it('goes on allocating when its sink fails, and says how much is missing', () => {
    using upstream = arena();
    const traced = new TraceLog(upstream, {
      sink: () => {
        throw new Error('disk full');
      },
      batch: 2,
    });
    for (let made = 0; made < 5; made += 1) must(traced.allocate(10));
    expect(traced.lost).toBe(5);
    expect(traced.failure).toMatchObject({ message: 'disk full' });
  });
});

describe('on failure', () => {
  it('tries again as long as help comes, and so often only', () => {
    using upstream = arena();
    const kept = [must(upstream.allocate(mib / 2)), must(upstream.allocate(mib / 2))];
    const attempts: number[] = [];
    const helped = new OnFailure(
      upstream,
      ({ attempt }) => {
        attempts.push(attempt);
        const handle = attempt === 2 ? kept.pop() : undefined;
        if (handle !== undefined) upstream.free(handle);
        return true;
      },
      4,
    );
    expect(helped.allocate(mib / 2)).not.toBeNull();
    expect(attempts).toEqual([1, 2]);
    kept.length = 0;
    attempts.length = 0;
    expect(helped.allocate(mib)).toBeNull();
    expect(attempts).toEqual([1, 2, 3, 4]);
  });
});

describe('a pile of policies', () => {
  it('works in any order', () => {
    using upstream = arena();
    const records: Uint8Array[] = [];
    const layers: ((below: Allocator) => Allocator)[] = [
      (below) => new Statistics(below),
      (below) => new Limit(below, { liveBytes: 5000 }),
      (below) => new Tracking(below, { sampleBytes: 1, site: () => 'here' }),
      (below) => new TraceLog(below, { sink: (chunk) => records.push(chunk) }),
      (below) => new OnFailure(below, () => false),
    ];
    for (let turn = 0; turn < layers.length; turn += 1) {
      layers.push(layers.shift() as (typeof layers)[number]);
      const top = layers.reduce<Allocator>((below, layer) => layer(below), upstream);
      const handle = must(top.allocate(4000));
      expect(top.allocate(2000)).toBeNull();
      expect(top.lengthOf(handle)).toBe(4000);
      top.free(handle);
      expect(codeOf(() => top.free(handle))).toBe('unknown_block');
      expect(upstream.stats().liveBlocks).toBe(0);
    }
  });
});
