/** The part of the benchmark that a program in JavaScript sees, beside what it would use instead: Buffers. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { connect } from '@nautilus/client';
import {
  type Arena,
  createArena,
  createSegment,
  ledgerBytesFor,
  mapSegment,
  readLedger,
} from '@nautilus/native';
import { atMost, because, type Figure, plain, quantile, ratioAtMost } from '../figure.ts';
import { container, host, setStage } from '../stage.ts';
import type { Cycles } from './node-cycles.ts';
import {
  batchLoop,
  blockLoop,
  bufferLoop,
  openRig,
  resolveLoop,
  sink,
  type Timing,
  timeByTurns,
  timeFrees,
} from './node-loops.ts';
import type { Options } from './options.ts';

const kib = 1024;
const slotAndCounters = 'three words of the slot, two counters and the magazine, each checked by the engine';
const beyondMagazine = 'what a magazine of 64 rooms does not hold goes back by native calls';
const blocksAreObjects = 'a block is an object that knows its pool and checks that it lives before each use';
const mib = 1024 * kib;

export async function benchNode({ quick }: Options): Promise<Figure[]> {
  const batches = quick ? 50 : 1000;
  return [
    ...blocks(4 * kib, '4 KiB', batches, { mostNs: 60, fasterThanBuffer: 20 }),
    ...blocks(mib, '1 MiB', batches, { mostNs: null, fasterThanBuffer: 100 }),
    ...singles(batches),
    ...(await throughClient(batches)),
    ...cycles(),
    ...beginnings(quick ? 20 : 200),
  ];
}

function blocks(
  bytes: number,
  size: string,
  batches: number,
  goals: { mostNs: number | null; fasterThanBuffer: number },
): Figure[] {
  using rig = openRig('slab');
  const name = `Node: allocate, view and free ${size}`;
  // Few operations a batch for what is slow, so that both take about as long.
  const [block, buffer] = timeByTurns([blockLoop(rig, bytes), bufferLoop(bytes)], 200, batches);
  if (block === undefined || buffer === undefined) throw new Error('a loop was not timed');
  const figure = (label: string, value: number) =>
    goals.mostNs === null ? plain(label, value, 'ns') : atMost(label, value, 'ns', goals.mostNs);
  return [
    figure(`${name}, p50`, block.p50),
    plain(`${name}, p99.9 of batches of 200`, block.p999, 'ns'),
    because(
      ratioAtMost(
        `${name}, against Buffer.allocUnsafe`,
        block.p50,
        buffer.p50,
        'ns',
        1 / goals.fasterThanBuffer,
      ),
      'the view alone costs 14 ns and more',
    ),
    ...(['buddy', 'first_fit', 'best_fit'] as const).flatMap((strategy) => {
      using other = openRig(strategy);
      const [timing] = timeByTurns([blockLoop(other, bytes)], 200, batches);
      return timing === undefined ? [] : [figure(`${name}, ${strategy}, p50`, timing.p50)];
    }),
  ];
}

function both(name: string, { p50, p999 }: Timing, mostNs: number, why: string): Figure[] {
  return [
    because(atMost(`${name}, p50`, p50, 'ns', mostNs), why),
    plain(`${name}, p99.9 of batches`, p999, 'ns'),
  ];
}

function singles(batches: number): Figure[] {
  using rig = openRig('slab');
  const [resolved, batched] = timeByTurns([resolveLoop(rig), batchLoop(rig, 256)], 5120, batches);
  if (resolved === undefined || batched === undefined) throw new Error('a loop was not timed');
  const snapshot = timeByTurns([(count) => snapshots(rig.arena, count)], 200, batches)[0];
  return [
    ...both('Node: free alone, bursts of 32', timeFrees(rig, 4 * kib, 32, batches), 25, slotAndCounters),
    ...both('Node: free alone, bursts of 1,000', timeFrees(rig, 4 * kib, 1000, batches), 25, beyondMagazine),
    ...both(
      'Node: handle to offset',
      resolved,
      3,
      'a handle is read from an array, and three words of its slot',
    ),
    ...both(
      'Node: an operation of a batch of 256',
      batched,
      10,
      'one native call does 256 operations; how their time divides was not measured',
    ),
    ...(snapshot === undefined ? [] : both('Node: stats snapshot', snapshot, 1000, 'it is a few loads')),
  ];
}

function snapshots(arena: Arena, count: number): void {
  for (let done = 0; done < count; done += 1) sink.value += arena.figures().liveBlocks;
}

/** The same through the library that containers link, whose blocks are objects. */
async function throughClient(batches: number): Promise<Figure[]> {
  await using stage = await setStage();
  await using client = await connect({ container, host, servers: stage.url });
  const pool = client.pool('bench', { segmentBytes: 64 * mib });
  await pool.reserve(mib);
  const loop = (count: number) => {
    let sum = 0;
    for (let done = 0; done < count; done += 1) {
      const block = pool.tryAllocate(4 * kib);
      if (block === null) throw new Error('the pool has no room');
      sum += block.view().length;
      block.free();
    }
    sink.value += sum;
  };
  const [timing] = timeByTurns([loop], 200, batches);
  return timing === undefined
    ? []
    : both('Node: the same 4 KiB through a client pool', timing, 60, blocksAreObjects);
}

function child<T>(file: string, words: readonly (string | number)[]): T {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const program = fileURLToPath(new URL(`./${file}.${extension}`, import.meta.url));
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...process.execArgv, program, ...words.map(String)],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`${file} ended with ${status}: ${stderr}`);
  return JSON.parse(stdout) as T;
}

function cycles(): Figure[] {
  const { majorCollections, rssBefore, rssAfter } = child<Cycles>('node-cycles', []);
  return [
    atMost('Node: major collections in 1,000,000 cycles', majorCollections, 'times', 0),
    atMost('Node: memory after 1,000,000 cycles more', (100 * (rssAfter - rssBefore)) / rssBefore, '%', 1),
  ];
}

/** Creating 1 GiB that nobody touches yet, and finding a block of it from another process. */
function beginnings(rounds: number): Figure[] {
  const bytes = 1024 * mib;
  const creations: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const startedAt = performance.now();
    using payload = createSegment({ name: 'bench', bytes });
    using mapping = mapSegment(payload, { access: 'read-write' });
    using arena = createArena({ strategy: 'slab', bytes });
    creations.push(performance.now() - startedAt);
    sink.value += mapping.bytes + arena.stats().liveBlocks;
  }
  using payload = createSegment({ name: 'bench', bytes });
  using ledger = createSegment({ name: 'bench-ledger', bytes: ledgerBytesFor(bytes, 64) });
  using mapping = mapSegment(payload, { access: 'read-write' });
  using ledgerMapping = mapSegment(ledger, { access: 'read-write' });
  using arena = createArena({ strategy: 'slab', bytes, ledger: ledgerMapping, magazines: true });
  const handle = arena.allocate(4096) as number;
  mapping.view(arena.offsetOf(handle), 1)[0] = 42;
  sink.value += readLedger(ledgerMapping)?.liveBlocks ?? 0;
  const attaching = Array.from({ length: 5 }, () => {
    const { milliseconds, first } = child<{ milliseconds: number; first: number | null }>('node-attach', [
      process.pid,
      payload.fd,
      ledger.fd,
      handle,
    ]);
    if (first !== 42) throw new Error(`the other process read ${first}`);
    return milliseconds;
  });
  return [
    atMost('Node: create 1 GiB lazily, p50', quantile(creations, 0.5), 'ms', 1),
    plain('Node: create 1 GiB lazily, p99.9', quantile(creations, 0.999), 'ms'),
    atMost('Node: attach in a new process, median of 5', quantile(attaching, 0.5), 'ms', 2),
  ];
}
