// What one thread cannot show of blocks that move: pins of other threads while they move, and a kill while they do.

import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { recoverArena } from './create-arena.ts';
import { createMovableArena, recoverMovableArena } from './create-movable-arena.ts';
import { ledgerBytesFor } from './ledger.ts';
import * as layout from './ledger-layout.ts';
import { createSegment, mapSegment } from './segment.ts';
import { Child } from './testing/child.ts';
import { codeOf } from './testing/code-of.ts';
import { startWorker } from './testing/worker.ts';

const mib = 2 ** 20;
const granule = 64;

// Each block says in every word who wrote it last and in which round. Some are held for a while, and some end and come
// again with another length, so that there is always something to move.
const pinAndWrite = `
  const mappings = { payload: map(input.payload), ledger: map(input.ledger) };
  const arena = nautilus.attachMovableArena(input.shared, mappings);
  const native = nautilus.loadNative();
  const { movablePin } = native;
  let pinnedOnTheMove = 0;
  native.movablePin = (arena, handle) => {
    pinnedOnTheMove += 1;
    return movablePin(arena, handle);
  };
  const { movedBlocks } = arena.figures();
  let broken = 0;
  const wordsOf = (bytes) => new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const write = (handle, value) => arena.use(handle, (bytes) => wordsOf(bytes).fill(value));
  const allocate = (round) => arena.allocate(4 * (100 + ((round * 7919) % 1200)));
  const blocks = Array.from({ length: 30 }, (_, at) => ({ handle: allocate(at), value: input.id }));
  for (const { handle, value } of blocks) write(handle, value);
  for (let round = 1; round <= 20_000; round += 1) {
    const block = blocks[(round * 7919) % blocks.length];
    const value = input.id + round * 4;
    const pin = arena.pin(block.handle);
    const { offset } = pin;
    const words = wordsOf(pin.view());
    if (words.some((word) => word !== block.value)) broken += 1;
    words.fill(value);
    block.value = value;
    if (round % 64 === 0) {
      await new Promise((resolve) => setImmediate(resolve));
      if (pin.offset !== offset || words.some((word) => word !== value)) broken += 1;
    }
    pin.release();
    if (round % 8 === 0) {
      arena.free(block.handle);
      block.handle = allocate(round);
      write(block.handle, value);
    }
  }
  const movedMeanwhile = arena.figures().movedBlocks - movedBlocks;
  parentPort.postMessage({ broken, blocks, pinnedOnTheMove, movedMeanwhile });
`;

interface Answer {
  broken: number;
  blocks: { handle: number; value: number }[];
  pinnedOnTheMove: number;
  movedMeanwhile: number;
}

describe('a movable arena of several threads', () => {
  for (const strategy of ['first_fit', 'best_fit'] as const) {
    it(`with ${strategy} moves no block that another thread pins and writes`, async () => {
      using payload = createSegment({ name: 'movable', bytes: mib });
      using ledger = createSegment({ name: 'movable-ledger', bytes: ledgerBytesFor(mib, granule) });
      using payloadMapping = mapSegment(payload, { access: 'read-write' });
      using ledgerMapping = mapSegment(ledger, { access: 'read-write' });
      const wish = { strategy, bytes: mib, payload: payloadMapping, ledger: ledgerMapping };
      using arena = createMovableArena(wish);
      const input = { shared: arena.share(), payload: payload.fd, ledger: ledger.fd };
      const workers = [1, 2].map((id) => startWorker(pinAndWrite, { ...input, id }));
      let areDone = false;
      const all = Promise.all(workers.map((worker) => once(worker, 'message') as Promise<[Answer]>));
      const answers = all.finally(() => {
        areDone = true;
      });
      // In steps that leave a block between two places, where it rests until somebody pins it or the next step.
      while (!areDone) {
        for (let pass = 0; pass < 5; pass += 1) arena.compact({ maxBytes: 700, maxMoves: 5 });
        await delay(1);
      }
      const results = (await answers).flat();
      expect(results.map(({ broken }) => broken)).toEqual([0, 0]);
      // Otherwise nothing was shown.
      expect(results.reduce((sum, { pinnedOnTheMove }) => sum + pinnedOnTheMove, 0)).toBeGreaterThan(10);
      for (const { movedMeanwhile } of results) expect(movedMeanwhile).toBeGreaterThan(100);
      for (const { handle, value } of results.flatMap(({ blocks }) => blocks)) {
        const isWhole = arena.use(handle, (bytes) => {
          const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
          return words.every((word) => word === value);
        });
        expect(isWhole).toBe(true);
      }
      await Promise.all(workers.map((worker) => worker.terminate()));
    }, 60_000);
  }
});

const sizeOf = (seed: number) => 100_000 + seed * 5000;
const byteAt = (seed: number, at: number) => (at === 0 ? seed : (seed * 31 + at * 7 + (at >>> 8)) & 0xff);
const seeds = [0, 1, 2, 3, 4, 5, 6];

// The block in front goes to the end by a copy under a new handle, and the others move down: by less than their
// length, so that they slide over their own place; by one granule when it was a small one. A kill finds every
// seed in at least one whole block.
const moveForEver = (strategy: string, payload: number, ledger: number) => `
  const { openSync } = await import('node:fs');
  const map = (fd) => nautilus.mapSegment(
    nautilus.Descriptor.adopt(openSync('/proc/${process.pid}/fd/' + fd, 'r+')), { access: 'read-write' });
  const arena = nautilus.createMovableArena({
    strategy: '${strategy}', bytes: ${mib}, payload: map(${payload}), ledger: map(${ledger}) });
  const sizeOf = ${sizeOf};
  const byteAt = ${byteAt};
  const ring = [];
  for (const seed of ${JSON.stringify(seeds)}) {
    ring.push(arena.allocate(${granule}));
    const handle = arena.allocate(sizeOf(seed));
    arena.use(handle, (bytes) => bytes.forEach((_, at) => { bytes[at] = byteAt(seed, at); }));
    ring.push(handle);
  }
  process.stdout.write('ready');
  for (;;) {
    const handle = ring.shift();
    const copy = arena.allocate(arena.lengthOf(handle));
    arena.use(handle, (from) => arena.use(copy, (to) => to.set(from)));
    arena.free(handle);
    ring.push(copy);
    while (arena.compact({ maxBytes: 30_000 }).more);
  }
`;

/** In the ledger's header: whether a block is on its way inside its own old place, and how far. */
const journal = { active: 132, done: 160 };

function liveHandles(words: Int32Array): number[] {
  const { header, slotsAt, wordsPerSlot, stateMask, liveState, generationMask, tagShift } = layout;
  const handles: number[] = [];
  for (let slot = 0; slot < (words[header.slotsUsed] as number); slot += 1) {
    const word = words[slotsAt + slot * wordsPerSlot] as number;
    const low = (words[header.tag] as number) * 2 ** tagShift + slot;
    if ((word & stateMask) === liveState) handles.push((word & generationMask) * 2 ** 32 + low);
  }
  return handles;
}

describe('a movable arena whose owner was killed', () => {
  for (const strategy of ['first_fit', 'best_fit'] as const) {
    it(`with ${strategy} in the middle of a move is recovered with every byte`, async () => {
      let cutOff = 0;
      for (let attempt = 0; attempt < 12 && cutOff < 2; attempt += 1) {
        using payload = createSegment({ name: 'killed', bytes: mib });
        using ledger = createSegment({ name: 'killed-ledger', bytes: ledgerBytesFor(mib, granule) });
        using payloadMapping = mapSegment(payload, { access: 'read-write' });
        using ledgerMapping = mapSegment(ledger, { access: 'read-write' });
        const owner = new Child(moveForEver(strategy, payload.fd, ledger.fd));
        await owner.saw('ready');
        await delay(20 + Math.random() * 100);
        owner.kill();
        const { signal, stderr } = await owner.end();
        expect({ signal, stderr }).toEqual({ signal: 'SIGKILL', stderr: '' });
        const wish = { strategy, bytes: mib, payload: payloadMapping, ledger: ledgerMapping };
        const words = new Int32Array(ledgerMapping.view(0, ledgerMapping.bytes).buffer);
        if (words[journal.active / 4] === 1) {
          if (words[journal.done / 4] !== 0) cutOff += 1;
          expect(codeOf(() => recoverArena(wish))).toBe('invalid_argument');
        }
        using arena = recoverMovableArena(wish);
        const handles = liveHandles(words);
        const whole = new Set<number>();
        for (const handle of handles) {
          arena.use(handle, (bytes) => {
            const seed = bytes[0] as number;
            if (bytes.length !== sizeOf(seed)) return;
            if (bytes.every((byte, at) => byte === byteAt(seed, at))) whole.add(seed);
          });
        }
        expect([...whole].sort()).toEqual(seeds);
        expect(arena.figures().liveBlocks).toBe(handles.length);
        while (arena.compact().more);
        const { freeBytes, largestFreeBytes } = arena.stats();
        expect(largestFreeBytes).toBe(freeBytes);
      }
      // Otherwise the kills showed nothing.
      expect(cutOff).toBeGreaterThan(0);
    }, 60_000);
  }
});
