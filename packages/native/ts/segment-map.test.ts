import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ArenaOptions, createArena } from './create-arena.ts';
import { createMovableArena } from './create-movable-arena.ts';
import type { Descriptor } from './descriptor.ts';
import { ledgerBytesFor } from './ledger.ts';
import * as layout from './ledger-layout.ts';
import { createSegment, mapSegment, reopenReadOnly } from './segment.ts';
import { readSegmentMap, type SegmentMap } from './segment-map.ts';
import { type StrategyName, strategies } from './strategies.ts';
import { Child } from './testing/child.ts';
import { codeOf } from './testing/code-of.ts';
import { mapNew } from './testing/movable.ts';

const capacity = 64 * 1024;
const granule = 64;
const slots = 128;
const wordsOfSlots = layout.slotsAt + slots * layout.wordsPerSlot;
const names = Object.keys(strategies) as StrategyName[];

const newLedger = () => createSegment({ name: 'map', bytes: ledgerBytesFor(capacity, granule) });

function open(options: Omit<ArenaOptions, 'bytes' | 'ledger'>) {
  using ledger = newLedger();
  using readOnly = reopenReadOnly(ledger);
  return {
    arena: createArena({ ...options, bytes: capacity, ledger: mapSegment(ledger, { access: 'read-write' }) }),
    agent: mapSegment(readOnly, { access: 'read-only' }),
  };
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** Rooms and free ranges lie beside each other from the first byte to the last, and the totals are theirs. */
function expectWhole(map: SegmentMap): void {
  const rooms = map.blocks.map(({ offset, room }) => ({ offset, bytes: room }));
  let end = 0;
  for (const { offset, bytes } of [...rooms, ...map.free].sort((a, b) => a.offset - b.offset)) {
    expect(offset).toBe(end);
    end += bytes;
  }
  expect(end).toBe(capacity);
  const frees = map.free.map(({ bytes }) => bytes);
  expect(map).toMatchObject({
    segmentBytes: capacity,
    granule,
    liveBlocks: rooms.length,
    liveBytes: sum(rooms.map(({ bytes }) => bytes)),
    requestedBytes: sum(map.blocks.map(({ length }) => length)),
    freeBytes: sum(frees),
    largestFreeBytes: Math.max(0, ...frees),
    overlaps: 0,
    blocksLeftOut: 0,
    freeLeftOut: 0,
  });
  expect(map.liveBytes + map.freeBytes).toBe(capacity);
  expect(map.fragmentation).toBeCloseTo(map.freeBytes / capacity, 5);
  const outside = map.freeBytes === 0 ? 0 : 1 - map.largestFreeBytes / map.freeBytes;
  expect(map.freeShareOutsideLargest).toBeCloseTo(outside, 5);
}

describe('the map of a segment', () => {
  for (const strategy of names) {
    for (const magazines of strategy === 'stack' ? [false] : [false, true]) {
      it(`with ${strategy}${magazines ? ' and magazines' : ''} shows what lives where, whatever was done`, async () => {
        const step = fc.record({
          bytes: fc.integer({ min: 1, max: 5000 }),
          isFree: fc.boolean(),
          at: fc.nat(),
        });
        await fc.assert(
          fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
            const { arena, agent } = open({ strategy, magazines });
            const live: number[] = [];
            for (const { bytes, isFree, at } of steps) {
              if (isFree && live.length > 0) {
                const chosen = strategy === 'stack' ? live.length - 1 : at % live.length;
                arena.free(live.splice(chosen, 1)[0] as number);
              } else {
                const handle = arena.allocate(bytes);
                if (handle !== null) live.push(handle);
              }
            }
            const map = readSegmentMap(agent) as SegmentMap;
            const blocks = live.map((handle) => ({
              handle,
              offset: arena.offsetOf(handle),
              length: arena.lengthOf(handle),
              pins: 0,
            }));
            blocks.sort((a, b) => a.offset - b.offset);
            expect(map.blocks.map(({ room, ...block }) => block)).toEqual(blocks);
            expectWhole(map);
            arena.close();
          }),
          { numRuns: 50 },
        );
      });
    }
  }

  it('is read by a second process that may only read, while the owner runs and after it closed', async () => {
    using ledger = newLedger();
    using mapping = mapSegment(ledger, { access: 'read-write' });
    using arena = createArena({ strategy: 'buddy', bytes: capacity, ledger: mapping });
    const handles = [100, 64, 4096].map((bytes) => arena.allocate(bytes) as number);
    arena.free(handles[1] as number);
    const running = await readByAnother(ledger);
    const own = readSegmentMap(mapping);
    expect(running).toEqual(own);
    expect(running.blocks).toEqual([
      { offset: 0, length: 100, room: 128, handle: handles[0], pins: 0 },
      { offset: 4096, length: 4096, room: 4096, handle: handles[2], pins: 0 },
    ]);
    expect(running.free).toEqual([
      { offset: 128, bytes: 3968 },
      { offset: 8192, bytes: capacity - 8192 },
    ]);
    expectWhole(running);
    arena.close();
    expect(await readByAnother(ledger)).toEqual(own);
  });

  it('counts pins', () => {
    using payload = mapNew(capacity);
    using ledger = mapNew(ledgerBytesFor(capacity, granule));
    using arena = createMovableArena({ strategy: 'first_fit', bytes: capacity, payload, ledger });
    const handle = arena.allocate(64) as number;
    const pinsNow = () => readSegmentMap(ledger)?.blocks.map(({ pins }) => pins);
    arena.use(handle, () => expect(pinsNow()).toEqual([1]));
    expect(pinsNow()).toEqual([0]);
  });

  it('lists no more than is asked for, and counts the rest', () => {
    const { arena, agent } = open({ strategy: 'first_fit' });
    const handles = Array.from({ length: 8 }, () => arena.allocate(granule) as number);
    for (const at of [1, 3, 5]) arena.free(handles[at] as number);
    const { blocks, free, ...totals } = readSegmentMap(agent) as SegmentMap;
    expect([blocks.length, free.length]).toEqual([5, 4]);
    expect(readSegmentMap(agent, { mostEntries: 2 })).toEqual({
      ...totals,
      blocks: blocks.slice(0, 2),
      blocksLeftOut: 3,
      free: free.slice(0, 2),
      freeLeftOut: 2,
    });
    expect(readSegmentMap(agent, { mostEntries: 0 })).toMatchObject({ blocksLeftOut: 5, freeLeftOut: 4 });
    for (const mostEntries of [-1, 0.5, 2 ** 20 + 1, Number.NaN, '1' as unknown as number]) {
      expect(codeOf(() => readSegmentMap(agent, { mostEntries }))).toBe('invalid_argument');
    }
  });

  it('is there for an initialised ledger only, and safe to read whatever stands in one', async () => {
    using ledger = newLedger();
    using mapping = mapSegment(ledger, { access: 'read-write' });
    expect(readSegmentMap(mapping)).toBeNull();
    const arena = createArena({ strategy: 'first_fit', bytes: capacity, ledger: mapping });
    for (let slot = 0; slot < slots; slot += 1) arena.allocate(granule);
    arena.close();
    const words = new Int32Array(mapping.view(0, mapping.bytes).buffer, 0, wordsOfSlots);
    const header = words.slice(0, 16);
    let blocksSeen = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.int32Array({ minLength: wordsOfSlots, maxLength: wordsOfSlots }),
        async (hasHeader, noise) => {
          words.set(noise);
          // Magic and version, or all that says how large the segment is; then some places are inside.
          words.set(header.subarray(0, hasHeader ? 16 : 3));
          for (let at = layout.slotsAt; hasHeader && at < wordsOfSlots; at += layout.wordsPerSlot) {
            for (const low of [at + layout.slot.offset, at + layout.slot.length]) {
              words[low] = (words[low] as number) & (2 * capacity - 1);
              words[low + 1] = 0;
            }
          }
          const map = readSegmentMap(mapping) as SegmentMap;
          expect(map.blocks.length + map.blocksLeftOut).toBe(map.liveBlocks);
          expect(map.liveBytes + map.freeBytes).toBe(map.segmentBytes);
          for (const { offset, length, room } of map.blocks) {
            expect(room).toBeGreaterThanOrEqual(length);
            expect(offset + room).toBeLessThanOrEqual(map.segmentBytes);
          }
          blocksSeen += map.liveBlocks;
        },
      ),
      { numRuns: 50 },
    );
    expect(blocksSeen).toBeGreaterThan(0);
    words.fill(0);
    expect(readSegmentMap(mapping)).toBeNull();
    mapping.close();
    expect(codeOf(() => readSegmentMap(mapping))).toBe('closed');
  });
});

async function readByAnother(ledger: Descriptor): Promise<SegmentMap> {
  const reader = new Child(`
    const { openSync } = await import('node:fs');
    const own = nautilus.Descriptor.adopt(openSync('/proc/${process.pid}/fd/${ledger.fd}', 'r'));
    const mapping = nautilus.mapSegment(own, { access: 'read-only' });
    process.stdout.write(JSON.stringify(nautilus.readSegmentMap(mapping)));
  `);
  const { stdout, stderr, code } = await reader.end();
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as SegmentMap;
}
