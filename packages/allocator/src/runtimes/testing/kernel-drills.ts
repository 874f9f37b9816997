/**
 * Drills that only a real cgroup v2 kernel can be put through: kills, throttling, races. Each that shows that nothing
 * is hurt has a counterpart that shows that the kernel would have hurt.
 */
import assert from 'node:assert/strict';
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CgroupRuntime } from '../cgroup/cgroup.ts';
import { type CgroupFiles, kernelFiles } from '../cgroup/files.ts';
import { judgeLivelock, type LivelockLook } from '../cgroup/livelock.ts';
import type { ContainerChange } from '../runtime.ts';
import { realTiming } from './bench.ts';
import { bytes, observed, until } from './expect.ts';
import type { KernelBench, KernelContainer } from './kernel-bench.ts';
import { SteppingFiles } from './stepping-files.ts';

export interface Drill {
  readonly name: string;
  /** Writes figures that were measured through `note`. */
  run(bench: KernelBench, note: (figure: string) => void): Promise<void>;
}

const MiB = 1024 * 1024;
const guard = { usageMarginBytes: 16 * MiB, deadlineMs: 10_000 };

export const kernelDrills: readonly Drill[] = [
  {
    name: 'counterpart of drills 1 and 2: this kernel kills when memory.max is written below usage',
    run: async (bench) =>
      await withContainer(bench, async ({ directory, eater, id }) => {
        await eater.anon(32 * MiB);
        writeFileSync(join(directory, 'memory.max'), String(16 * MiB));
        await until('the eater is killed', () => !eater.isAlive());
        assert.ok(bytes((await observed(bench.runtime, id)).oomKills) >= 1);
      }),
  },
  {
    name: 'drill 2: usage that jumps right before the write of memory.max is braked, and the limit taken back',
    run: async (bench, note) =>
      await withContainer(bench, async ({ id, eater, directory }) => {
        await eater.anon(48 * MiB);
        const stepping = new SteppingFiles();
        const runtime = beside(bench, stepping);
        await runtime.limit(id, { limitBytes: 1024 * MiB }, guard);
        const limitBytes = bytes((await observed(runtime, id)).workingSetBytes) + 24 * MiB;
        const goal = eater.answers + 1;
        stepping.beforeNext(directory, 'memory.max', async () => {
          eater.begin(`anon ${64 * MiB}`);
          // Time enough for all of it where nothing brakes; memory.max would then kill.
          const endMs = realTiming.monotonic() + 2_500;
          while (eater.answers < goal && realTiming.monotonic() < endMs) await realTiming.sleep(20);
        });
        const result = await runtime.limit(id, { limitBytes }, guard);
        assert.equal(stepping.pending, 0, 'the write of memory.max was reached');
        const after = await observed(runtime, id);
        note(`${result.outcome}: ${result.reason}; high events ${after.highEvents}`);
        assert.equal(result.outcome, 'refused', result.reason);
        assert.match(result.reason, /jumped/);
        assert.ok(bytes(after.highEvents) > 0, 'the brake was felt');
        assert.deepEqual([result.readBackBytes, after.protections.highBytes], [1024 * MiB, 'max']);
        await until('the jump ends, unharmed', () => eater.answers >= goal);
        assert.ok(eater.isAlive());
        assert.equal((await observed(runtime, id)).oomKills, 0);
      }),
  },
  {
    name: 'drill 2: usage that jumps before the brake is set is seen, and nothing is written',
    run: async (bench) =>
      await withContainer(bench, async ({ id, eater, directory }) => {
        await eater.anon(32 * MiB);
        const stepping = new SteppingFiles();
        const runtime = beside(bench, stepping);
        await runtime.limit(id, { limitBytes: 1024 * MiB }, guard);
        const limitBytes = bytes((await observed(runtime, id)).workingSetBytes) + 24 * MiB;
        stepping.beforeNext(directory, 'memory.high', async () => await eater.anon(64 * MiB));
        const result = await runtime.limit(id, { limitBytes }, guard);
        assert.equal(result.outcome, 'refused', result.reason);
        assert.equal(result.readBackBytes, 1024 * MiB);
        assert.equal((await observed(runtime, id)).protections.highBytes, 'max');
        assert.equal((await observed(runtime, id)).oomKills, 0);
        assert.ok(eater.isAlive());
      }),
  },
  {
    name: 'drill 3: a swap-less container that stands at memory.high is found, and goes on when it is lifted',
    run: async (bench, note) =>
      await withContainer(bench, async ({ id, eater }) => {
        const look = async (): Promise<LivelockLook> => ({
          observation: await observed(bench.runtime, id),
          atMs: realTiming.monotonic(),
        });
        const calm = await look();
        await realTiming.sleep(1_100);
        const still = judgeLivelock(calm, await look());
        assert.equal(still.livelocked, false, still.reason);
        const highBytes = bytes(calm.observation.workingSetBytes) + 8 * MiB;
        const set = await bench.runtime.limit(
          id,
          { limitBytes: 'max', highBytes },
          { ...guard, usageMarginBytes: 4 * MiB },
        );
        assert.deepEqual([set.outcome, set.skipped], ['applied', {}], set.reason);
        const goal = eater.answers + 1;
        eater.begin(`anon ${96 * MiB}`);
        await realTiming.sleep(1_500);
        const begin = await look();
        await realTiming.sleep(3_000);
        const verdict = judgeLivelock(begin, await look());
        note(verdict.reason);
        assert.equal(verdict.livelocked, true, verdict.reason);
        assert.ok(eater.answers < goal, 'it stands still');
        await bench.runtime.limit(id, { limitBytes: 'max', highBytes: 'max' }, guard);
        await until('it goes on', () => eater.answers >= goal);
      }),
  },
  {
    name: 'drill 10: a container that is removed between any two reads is gone, never an exception',
    run: async (bench, note) => {
      let reads = 1;
      for (let removedBefore = 0; removedBefore < reads; removedBefore += 1) {
        const directory = join(bench.parent, 'vanishing');
        mkdirSync(directory);
        const stepping = new SteppingFiles();
        const runtime = beside(bench, stepping);
        await runtime.list();
        stepping.beforeRead = (nth) => {
          if (nth === removedBefore) rmdirSync(directory);
        };
        const seen = await runtime.observe('vanishing');
        reads = Math.max(reads, stepping.reads);
        assert.equal(seen.kind, 'gone', `removed before read ${removedBefore}`);
      }
      note(`removed before each of ${reads} reads`);
      assert.ok(reads > 10);
    },
  },
  {
    name: 'keeps what protects a container: min, low, high and the group kill',
    run: async (bench) =>
      await withContainer(bench, async ({ id }) => {
        const wanted = { minBytes: 8 * MiB, lowBytes: 16 * MiB, highBytes: 400 * MiB, oomGroup: true };
        const result = await bench.runtime.limit(id, { limitBytes: 512 * MiB, ...wanted }, guard);
        assert.deepEqual([result.outcome, result.skipped], ['applied', {}], result.reason);
        const { protections } = await observed(bench.runtime, id);
        assert.deepEqual(protections, { ...wanted, softLimitBytes: null });
        const tight = await bench.runtime.limit(id, { limitBytes: 512 * MiB, highBytes: 4096 }, guard);
        assert.match(tight.skipped['highBytes'] ?? '', /in use/);
        assert.equal((await observed(bench.runtime, id)).protections.highBytes, 400 * MiB);
      }),
  },
  {
    name: 'tells of a kill by a notification of the kernel, long before it would look again',
    run: async (bench, note) =>
      await withContainer(bench, async ({ id, directory, eater }) => {
        const runtime = beside(bench, kernelFiles);
        const changes: ContainerChange[] = [];
        const errors: unknown[] = [];
        const watch = runtime.watch((change) => changes.push(change), {
          onError: (error) => errors.push(error),
        });
        await until('the container is seen', () => changes.some(({ container }) => container.id === id));
        await realTiming.sleep(200);
        writeFileSync(join(directory, 'memory.max'), String(1 * MiB));
        await until('the eater is killed', () => !eater.isAlive());
        const killedMs = realTiming.monotonic();
        await until('the kill is told', () =>
          changes.some((change) => change.kind === 'memory-events' && change.oomKills > 0),
        );
        note(`told within ${(realTiming.monotonic() - killedMs).toFixed(0)} ms of the end of the process`);
        await watch.stop();
        assert.deepEqual(errors, []);
        assert.match(watch.source, /notifications/);
      }),
  },
];

/** Another runtime over the same containers; it looks by itself once a minute only. */
function beside(bench: KernelBench, files: CgroupFiles): CgroupRuntime {
  return new CgroupRuntime({ files, timing: realTiming, version: 2, parent: bench.parent, pollMs: 60_000 });
}

let containers = 0;

async function withContainer(
  bench: KernelBench,
  run: (container: KernelContainer) => Promise<void>,
): Promise<void> {
  const container = await bench.start(`d${++containers}`);
  try {
    await run(container);
  } finally {
    await container.remove();
  }
}
