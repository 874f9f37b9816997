import { describe, expect, it } from 'vitest';
import { figuresOf } from './goals.ts';
import type { Measurement } from './harness.ts';

const measured = (what: string, who: string, value: number, unit = 'ns'): Measurement => ({
  what,
  who,
  value,
  unit,
});

/** One measurement for every goal, all of them good. */
const complete: readonly Measurement[] = [
  measured('pair, 64 B, hot', 'SLAB', 6),
  measured('pair, 64 B, hot', 'mimalloc', 8),
  measured('pair, newest block', 'STACK', 3),
  measured('pair, 64 B to 4 KiB, 10,000 live', 'BUDDY', 40),
  measured('replay, an event, jq', 'SLAB', 10),
  measured('replay, an event, jq', 'mimalloc', 10),
  measured('replay, an event, jq', 'Boost.Interprocess', 100),
  measured('high water / peak of live bytes, jq', 'SLAB', 1.05, '×'),
  measured('fragmentation (P4) at the peak, jq', 'SLAB', 5, '%'),
  measured('p99.9 of a free, 64 B to 4 KiB, 1,000,000 live', 'SLAB', 300),
  measured('utilisation at first failure, growing, 64 B to 4 KiB, mean', 'BEST_FIT', 99, '%'),
  measured('utilisation at first failure, growing, 64 B to 4 KiB, worst', 'BEST_FIT', 95, '%'),
  measured('stats snapshot', 'figures()', 6),
  measured('create a segment of 1 GiB', 'SLAB', 0.1, 'ms'),
  measured('attach in a new process to 1 GiB, 100,000 live', 'SLAB', 0.1, 'ms'),
  measured('recovery, 1,000,000 live', 'SLAB', 30, 'ms'),
  measured('ledger for a block, header not counted, 1,000,000 live', 'SLAB', 32, 'B'),
  measured('compaction, of the bandwidth of memcpy, 4 KiB to 1 MiB', 'BEST_FIT', 95, '%'),
  measured('compaction, a pass, p99.9', 'BEST_FIT', 300_000),
  measured('refusals with moving where too few bytes were free', 'BEST_FIT', 100, '%'),
];

const withValue = (who: string, what: RegExp, value: number) =>
  complete.map((found) => (found.who === who && what.test(found.what) ? { ...found, value } : found));
const missed = (measurements: readonly Measurement[]) =>
  figuresOf(measurements, false)
    .filter((figure) => figure.ok === false)
    .map((figure) => figure.name);

describe('goals of the memory core', () => {
  it('are all met by good measurements', () => {
    expect(missed(complete)).toEqual([]);
  });

  it('compare with a peer of the same measurement', () => {
    expect(missed(withValue('SLAB', /^replay/, 12.1))).toEqual([
      'SLAB against mimalloc: replay, an event, jq',
    ]);
    expect(missed(withValue('Boost.Interprocess', /^replay/, 39))).toEqual([
      'SLAB against Boost.Interprocess: replay, an event, jq',
    ]);
    expect(missed(withValue('mimalloc', /^pair/, 5))).toEqual(['SLAB against mimalloc: pair, 64 B, hot']);
  });

  it('leave out the ratio to a peer that was skipped', () => {
    const alone = complete.filter(({ who }) => who !== 'mimalloc');
    expect(figuresOf(alone, false).filter(({ name }) => name.includes('mimalloc'))).toEqual([]);
  });

  it('give peers and what has no goal no verdict', () => {
    const figures = figuresOf([...complete, measured('replay, an event, jq', 'BUDDY', 900)], false);
    expect(figures.find(({ name }) => name === 'mimalloc: pair, 64 B, hot')).not.toHaveProperty('ok');
    expect(figures.find(({ name }) => name === 'BUDDY: replay, an event, jq')).not.toHaveProperty('ok');
  });

  it('are not lost when nothing was measured for one of them', () => {
    const lacking = complete.filter(({ what }) => !what.startsWith('recovery'));
    expect(() => figuresOf(lacking, false)).toThrow('nothing was measured for the goal of ^recovery');
    expect(() => figuresOf(lacking, true)).not.toThrow();
  });

  it('say why, where that is known', () => {
    const what = 'utilisation at first failure, growing, 64 B to 4 KiB, mean';
    const figures = figuresOf([...complete, measured(what, 'FIRST_FIT', 97, '%')], false);
    expect(figures.at(-1)).toMatchObject({ ok: false, why: expect.stringContaining('lowest address') });
  });
});
