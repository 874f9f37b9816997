import { describe, expect, it } from 'vitest';
import { attachArena, createArena, recoverArena } from './create-arena.ts';
import { createMovableArena, recoverMovableArena } from './create-movable-arena.ts';
import type { Descriptor } from './descriptor.ts';
import { ledgerBytesFor, readLedger } from './ledger.ts';
import * as layout from './ledger-layout.ts';
import type { Mapping } from './mapping.ts';
import { createSegment, mapSegment } from './segment.ts';
import { type StrategyName, strategies } from './strategies.ts';
import { Child } from './testing/child.ts';
import { codeOf } from './testing/code-of.ts';
import { mapNew } from './testing/movable.ts';

const mib = 2 ** 20;

/** A child that allocates in our ledger until it is killed, and says the handles that live. */
function startOwner(ledger: Descriptor, strategy: string): Child {
  return new Child(`
    const { openSync } = await import('node:fs');
    const own = nautilus.Descriptor.adopt(openSync('/proc/${process.pid}/fd/${ledger.fd}', 'r+'));
    const ledger = nautilus.mapSegment(own, { access: 'read-write' });
    const arena = nautilus.createArena({ strategy: '${strategy}', bytes: ${mib}, ledger, magazines: true });
    const live = [];
    for (let round = 0; round < 500; round += 1) {
      if (round % 3 === 2) arena.free(live.splice((round * 7) % live.length, 1)[0].handle);
      else {
        const handle = arena.allocate(1 + ((round * 977) % 3000));
        live.push({ handle, offset: arena.offsetOf(handle), length: arena.lengthOf(handle) });
      }
    }
    process.stdout.write('live ' + JSON.stringify(live) + ' end');
    setInterval(() => arena.allocate(10_000_000), 1000);
  `);
}

describe('an arena whose owner was killed', () => {
  for (const strategy of ['slab', 'buddy', 'first_fit', 'best_fit'] as const) {
    it(`with ${strategy} is recovered with its blocks and without what waited in magazines`, async () => {
      using ledger = createSegment({ name: 'killed', bytes: ledgerBytesFor(mib, 64) });
      using mapping = mapSegment(ledger, { access: 'read-write' });
      const owner = startOwner(ledger, strategy);
      await owner.saw(' end');
      expect(readLedger(mapping)?.cachedBytes).toBeGreaterThan(0);
      const wish = { strategy, bytes: mib, ledger: mapping, magazines: true };
      expect(codeOf(() => recoverArena(wish))).toBe('address_in_use');
      expect(codeOf(() => createArena(wish))).toBe('address_in_use');
      owner.kill();
      const { stdout, signal } = await owner.end();
      expect(signal).toBe('SIGKILL');
      const live = JSON.parse(stdout.slice(stdout.indexOf('['), stdout.lastIndexOf(']') + 1)) as {
        handle: number;
        offset: number;
        length: number;
      }[];
      using arena = recoverArena(wish);
      expect(arena.leftOutBlocks).toBe(0);
      for (const { handle, offset, length } of live) {
        expect(arena.offsetOf(handle)).toBe(offset);
        expect(arena.lengthOf(handle)).toBe(length);
      }
      expect(arena.stats()).toMatchObject({ liveBlocks: live.length, cachedBytes: 0 });
      for (const { handle } of live) arena.free(handle);
      arena.flush();
      expect(arena.stats()).toMatchObject({ liveBlocks: 0, liveBytes: 0, freeBytes: mib });
    });
  }
});

describe('a ledger with a block that cannot be', () => {
  /** No strategy gives a place between granules. */
  function misplace(ledger: Mapping, handle: number): void {
    const words = new Int32Array(ledger.view(0, ledgerBytesFor(mib, 64)).buffer);
    const offset = layout.slotsAt + (handle & layout.slotMask) * layout.wordsPerSlot + layout.slot.offset;
    words[offset] = (words[offset] as number) + 1;
  }

  for (const strategy of Object.keys(strategies) as StrategyName[]) {
    it(`with ${strategy} is recovered without it, and says so`, () => {
      using mapping = mapNew(ledgerBytesFor(mib, 64));
      const wish = { strategy, bytes: mib, ledger: mapping };
      const former = createArena(wish);
      expect(former.leftOutBlocks).toBe(0);
      const handles = [100, 5000, 64].map((bytes) => former.allocate(bytes) as number);
      const [first, damaged, last] = handles as [number, number, number];
      const places = [first, last].map((handle) => former.offsetOf(handle));
      former.close();
      misplace(mapping, damaged);
      using arena = recoverArena(wish);
      expect(arena.leftOutBlocks).toBe(1);
      expect(arena.stats().liveBlocks).toBe(2);
      expect(arena.isLive(damaged)).toBe(false);
      expect([first, last].map((handle) => arena.offsetOf(handle))).toEqual(places);
      expect(attachArena(arena.share(), mapping).leftOutBlocks).toBe(1);
    });
  }

  it('says so once: the next recovery finds it ended', () => {
    using mapping = mapNew(ledgerBytesFor(mib, 64));
    const wish = { strategy: 'slab', bytes: mib, ledger: mapping } as const;
    const former = createArena(wish);
    const handle = former.allocate(100) as number;
    former.close();
    misplace(mapping, handle);
    for (const expected of [1, 0]) {
      using arena = recoverArena(wish);
      expect(arena.leftOutBlocks).toBe(expected);
    }
  });

  it('is recovered without it where blocks move', () => {
    using payload = mapNew(mib);
    using mapping = mapNew(ledgerBytesFor(mib, 64));
    const wish = { strategy: 'best_fit', bytes: mib, payload, ledger: mapping } as const;
    const former = createMovableArena(wish);
    expect(former.leftOutBlocks).toBe(0);
    const [kept, damaged] = [100, 100].map((bytes) => former.allocate(bytes) as number) as [number, number];
    former.close();
    misplace(mapping, damaged);
    using arena = recoverMovableArena(wish);
    expect(arena.leftOutBlocks).toBe(1);
    expect([kept, damaged].map((handle) => arena.isLive(handle))).toEqual([true, false]);
  });
});

describe('a ledger', () => {
  it('has one arena at a time, and a new one after that was closed', () => {
    using ledger = createSegment({ name: 'one', bytes: ledgerBytesFor(mib, 64) });
    using first = mapSegment(ledger, { access: 'read-write' });
    using second = mapSegment(ledger, { access: 'read-write' });
    const arena = createArena({ strategy: 'slab', bytes: mib, ledger: first });
    const handle = arena.allocate(100) ?? 0;
    for (const mapping of [first, second]) {
      expect(codeOf(() => createArena({ strategy: 'slab', bytes: mib, ledger: mapping }))).toBe(
        'address_in_use',
      );
      expect(codeOf(() => recoverArena({ strategy: 'slab', bytes: mib, ledger: mapping }))).toBe(
        'address_in_use',
      );
    }
    arena.close();
    using recovered = recoverArena({ strategy: 'slab', bytes: mib, ledger: second });
    expect(recovered.lengthOf(handle)).toBe(100);
    recovered.close();
    using empty = createArena({ strategy: 'buddy', bytes: mib, ledger: second });
    expect(codeOf(() => empty.free(handle))).toBe('unknown_block');
  });

  it('of another segment, or of none, is refused', () => {
    using ledger = createSegment({ name: 'other', bytes: ledgerBytesFor(mib, 64) });
    using mapping = mapSegment(ledger, { access: 'read-write' });
    const wish = { strategy: 'slab', bytes: mib, ledger: mapping } as const;
    expect(codeOf(() => recoverArena(wish))).toBe('invalid_argument');
    createArena(wish).close();
    expect(codeOf(() => recoverArena({ ...wish, bytes: mib / 2 }))).toBe('invalid_argument');
    expect(codeOf(() => recoverArena({ ...wish, minimumAlignment: 128 }))).toBe('invalid_argument');
    recoverArena(wish).close();
  });
});
