import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { BlockReader } from './block-reader.ts';
import { attachArena, createArena } from './create-arena.ts';
import { ledgerBytesFor, readLedger } from './ledger.ts';
import { header } from './ledger-layout.ts';
import { createSegment, mapSegment } from './segment.ts';
import { Child } from './testing/child.ts';
import { codeOf } from './testing/code-of.ts';
import { startWorker } from './testing/worker.ts';

const mib = 2 ** 20;
const granule = 64;

// What the scripts of workers begin with: each attaches by itself.
const attach = `
  const mapping = map(input.payload);
  const arena = nautilus.attachArena(input.shared, map(input.ledger));
`;

function parts(bytes: number) {
  const payload = createSegment({ name: 'shared', bytes });
  const ledger = createSegment({ name: 'shared-ledger', bytes: ledgerBytesFor(bytes, granule) });
  return { payload, ledger, ledgerMapping: mapSegment(ledger, { access: 'read-write' }) };
}

// Each block is filled with the number of its thread, looked at again before it is freed, and some go to others.
const churn = `${attach}
  const held = [];
  let broken = 0;
  // One block lives from here to the end.
  arena.allocate(64);
  parentPort.postMessage('begun');
  await new Promise((resolve) => parentPort.once('message', resolve));
  for (let round = 0; round < 8000; round += 1) {
    if (held.length > 200 || (round % 3 === 0 && held.length > 0)) {
      const [{ handle, length }] = held.splice((round * 7) % held.length, 1);
      const view = mapping.view(arena.offsetOf(handle), length);
      if (view[0] !== input.id || view[length - 1] !== input.id) broken += 1;
      arena.free(handle);
      continue;
    }
    const length = 1 + ((round * 2654435761 + input.id * 977) % 9000);
    const handle = arena.allocate(length);
    if (handle === null) continue;
    const view = mapping.view(arena.offsetOf(handle), length);
    view[0] = input.id;
    view[length - 1] = input.id;
    held.push({ handle, length });
  }
  parentPort.postMessage({ broken, held });
`;

/** A second process that looks at the figures until its input ends. */
function startReader(payloadFd: number, ledgerFd: number): Child {
  return new Child(`
  const { openSync } = await import('node:fs');
  const open = (fd) => nautilus.Descriptor.adopt(openSync('/proc/${process.pid}/fd/' + fd, 'r'));
  const ledger = nautilus.mapSegment(open(${ledgerFd}), { access: 'read-only' });
  const payload = nautilus.mapSegment(open(${payloadFd}), { access: 'read-only' });
  process.stdout.write('ready');
  process.stdin.resume();
  let bad = 0;
  let seen = 0;
  let ended = false;
  process.stdin.on('end', () => { ended = true; });
  while (!ended) {
    const { liveBlocks, liveBytes } = nautilus.readLedger(ledger);
    // Four blocks live all the time.
    if (liveBlocks < 4 || liveBytes < 4 * 64) bad += 1;
    seen += 1;
    await new Promise((resolve) => setImmediate(resolve));
  }
  process.stdout.write(JSON.stringify({ bad, seen }));
      `);
}

describe('an arena of several threads', () => {
  for (const strategy of ['slab', 'buddy', 'first_fit', 'best_fit'] as const) {
    it(`with ${strategy} gives each byte to one of them, and is read meanwhile by a second process`, async () => {
      using payload = createSegment({ name: 'shared', bytes: 16 * mib });
      using ledger = createSegment({ name: 'shared-ledger', bytes: ledgerBytesFor(16 * mib, granule) });
      using mapping = mapSegment(ledger, { access: 'read-write' });
      using arena = createArena({
        strategy,
        bytes: 16 * mib,
        minimumAlignment: granule,
        ledger: mapping,
        magazines: true,
      });
      const input = { shared: arena.share(), payload: payload.fd, ledger: ledger.fd };
      const workers = [1, 2, 3, 4].map((id) => startWorker(churn, { ...input, id }));
      await Promise.all(workers.map((worker) => once(worker, 'message')));
      const reader = startReader(payload.fd, ledger.fd);
      await reader.saw('ready');
      for (const worker of workers) worker.postMessage('go');
      const answers = (await Promise.all(workers.map((worker) => once(worker, 'message')))).flat();
      const { stdout, code } = await reader.end();
      expect(code).toBe(0);
      const { bad, seen } = JSON.parse(stdout.replace('ready', ''));
      expect(bad).toBe(0);
      expect(seen).toBeGreaterThan(0);
      const held = answers.flatMap((answer) => answer.held as { handle: number; length: number }[]);
      expect(answers.map((answer) => answer.broken)).toEqual([0, 0, 0, 0]);
      expect(arena.stats().liveBlocks).toBe(held.length + 4);
      const places = held.map(({ handle, length }) => ({ at: arena.offsetOf(handle), length }));
      places.sort((a, b) => a.at - b.at);
      for (let i = 1; i < places.length; i += 1) {
        const before = places[i - 1];
        expect(places[i]?.at).toBeGreaterThanOrEqual((before?.at ?? 0) + (before?.length ?? 0));
      }
      // What the others allocated is freed here, and what their magazines held comes back when they end.
      for (const { handle } of held) arena.free(handle);
      for (const { handle } of held) expect(codeOf(() => arena.free(handle))).toBe('unknown_block');
      await Promise.all(workers.map((worker) => worker.terminate()));
      arena.flush();
      await expect.poll(() => arena.stats()).toMatchObject({ liveBlocks: 4, cachedBytes: 0 });
    });
  }

  it('frees one block once, however many threads try', async () => {
    using payload = createSegment({ name: 'shared', bytes: mib });
    using ledger = createSegment({ name: 'shared-ledger', bytes: ledgerBytesFor(mib, granule) });
    using mapping = mapSegment(ledger, { access: 'read-write' });
    using arena = createArena({ strategy: 'slab', bytes: mib, ledger: mapping, magazines: true });
    const input = { shared: arena.share(), payload: payload.fd, ledger: ledger.fd };
    const handles = Array.from({ length: 4000 }, () => arena.allocate(64) ?? 0);
    const workers = [1, 2, 3, 4].map((id) =>
      startWorker(
        `${attach}
         let freed = 0;
         for (const handle of input.handles) {
           try { arena.free(handle); freed += 1; }
           catch (error) { if (error.code !== 'unknown_block') throw error; }
         }
         parentPort.postMessage(freed);`,
        { ...input, id, handles },
      ),
    );
    const freed = (await Promise.all(workers.map((worker) => once(worker, 'message')))).flat();
    expect(freed.reduce((sum, count) => sum + count, 0)).toBe(4000);
    expect(arena.stats().liveBlocks).toBe(0);
    await Promise.all(workers.map((worker) => worker.terminate()));
  });

  it('is found by its number while one of them has it, with its own ledger only', () => {
    const { ledger, ledgerMapping } = parts(mib);
    const other = parts(mib);
    const arena = createArena({ strategy: 'slab', bytes: mib, ledger: ledgerMapping, magazines: true });
    createArena({ strategy: 'slab', bytes: mib, ledger: other.ledgerMapping });
    const shared = arena.share();
    expect(arena.share()).toEqual(shared);
    expect(codeOf(() => attachArena(shared, other.ledgerMapping))).toBe('invalid_argument');
    using mapping = mapSegment(ledger, { access: 'read-write' });
    const second = attachArena(shared, mapping);
    const handle = second.allocate(100) ?? 0;
    arena.close();
    expect(second.isLive(handle)).toBe(true);
    second.close();
    expect(codeOf(() => attachArena(shared, mapping))).toBe('closed');
  });
});

describe('a reader of blocks', () => {
  it('finds what is live, and nothing that is stale, foreign or invented', () => {
    const { ledger, ledgerMapping } = parts(mib);
    using arena = createArena({ strategy: 'best_fit', bytes: mib, ledger: ledgerMapping, magazines: true });
    using mapping = mapSegment(ledger, { access: 'read-only' });
    const reader = new BlockReader(mapping, mib);
    const handle = arena.allocate(1000) ?? 0;
    expect(reader.find(handle)).toEqual({ offset: arena.offsetOf(handle), length: 1000 });
    for (const wrong of [
      0,
      handle + 1,
      handle + 0.5,
      handle + 2 ** 24,
      handle + 2 ** 32,
      -handle,
      Number.NaN,
    ])
      expect(reader.find(wrong)).toBeNull();
    arena.free(handle);
    expect(reader.find(handle)).toBeNull();
    expect(new BlockReader(mapping, 16).find(arena.allocate(1000) ?? 0)).toBeNull();
    expect(readLedger(mapping)?.liveBlocks).toBe(1);
    new Int32Array(ledgerMapping.view(0, 4096).buffer)[header.movable] = 1;
    expect(codeOf(() => reader.find(handle))).toBe('unsupported');
    mapping.close();
    expect(codeOf(() => reader.find(handle))).toBe('closed');
  });
});
