/**
 * What every container runtime must do, as data: vitest runs the cases on this machine, and a small runner runs the
 * same ones inside the virtual machine with the other kernel. What a bench cannot do is skipped with its reason.
 */
import assert from 'node:assert/strict';
import type { ContainerChange, Figures, LimitGuard, Runtime } from '../runtime.ts';
import type { Ability, Bench, BenchContainer } from './bench.ts';
import { bytes, observed, until } from './expect.ts';

export { bytes, observed, until } from './expect.ts';

export interface ConformanceCase {
  readonly name: string;
  readonly needs?: Ability;
  run(bench: Bench): Promise<void>;
}

const MiB = 1024 * 1024;
const guard: LimitGuard = { usageMarginBytes: 4 * MiB, deadlineMs: 10_000 };

/** Figures that have a reason when they are null. */
const fields = [
  'usageBytes',
  'workingSetBytes',
  'anonBytes',
  'fileBytes',
  'shmemBytes',
  'swapBytes',
  'limitBytes',
  'swapLimitBytes',
  'oomKills',
  'highEvents',
  'maxEvents',
  'psi',
] as const satisfies readonly (keyof Figures)[];

export const conformance: readonly ConformanceCase[] = [
  {
    name: 'lists what exists, and no longer what was removed',
    run: async (bench) =>
      await withContainer(bench, async (container) => {
        assert.ok((await idsOf(bench.runtime)).includes(container.id));
        await container.remove();
        assert.ok(!(await idsOf(bench.runtime)).includes(container.id));
      }),
  },
  {
    name: 'gives a reason exactly for what is missing',
    run: async (bench) =>
      await withContainer(bench, async ({ id }) => {
        const seen = await observed(bench.runtime, id);
        const nulls = [
          ...fields.filter((field) => seen[field] === null).map(String),
          ...Object.entries(seen.protections)
            .filter(([, value]) => value === null)
            .map(([field]) => `protections.${field}`),
        ];
        assert.deepEqual(nulls.sort(), Object.keys(seen.missing).sort());
        for (const reason of Object.values(seen.missing)) assert.match(reason, /\w+ \w+/);
      }),
  },
  {
    name: 'sees anonymous memory in the working set',
    run: async (bench) =>
      await withContainer(bench, async (container) => {
        const before = await observed(bench.runtime, container.id);
        await container.anon(32 * MiB);
        const after = await observed(bench.runtime, container.id);
        assert.ok(bytes(after.anonBytes) - bytes(before.anonBytes) >= 31 * MiB);
        assert.ok(bytes(after.workingSetBytes) - bytes(before.workingSetBytes) >= 31 * MiB);
        assert.ok(bytes(after.usageBytes) >= bytes(after.anonBytes));
      }),
  },
  {
    name: 'does not count page cache as need',
    needs: 'page cache',
    run: async (bench) =>
      await withContainer(bench, async (container) => {
        const before = await observed(bench.runtime, container.id);
        await container.cache(32 * MiB);
        const after = await observed(bench.runtime, container.id);
        assert.ok(bytes(after.usageBytes) - bytes(before.usageBytes) >= 28 * MiB, 'the cache is charged');
        assert.ok(bytes(after.fileBytes) - bytes(before.fileBytes) >= 28 * MiB);
        assert.ok(bytes(after.workingSetBytes) - bytes(before.workingSetBytes) < 8 * MiB);
      }),
  },
  {
    name: 'sets limits up and down and reads them back in whole pages',
    needs: 'limit',
    run: async (bench) =>
      await withContainer(bench, async ({ id }) => {
        for (const limitBytes of [512 * MiB + 1, 300 * MiB + 4095, 700 * MiB]) {
          const result = await bench.runtime.limit(id, { limitBytes }, guard);
          assert.equal(result.outcome, 'applied', result.reason);
          assert.equal(result.readBackBytes, limitBytes - (limitBytes % 4096));
          assert.equal(bench.kernelLimit(id), result.readBackBytes);
          assert.equal((await observed(bench.runtime, id)).limitBytes, result.readBackBytes);
        }
        const off = await bench.runtime.limit(id, { limitBytes: 'max' }, guard);
        assert.deepEqual([off.outcome, off.readBackBytes], ['applied', 'max']);
      }),
  },
  {
    name: 'says that it cannot limit, and why',
    run: async (bench) =>
      await withContainer(bench, async ({ id }) => {
        const result = await bench.runtime.limit(id, { limitBytes: 512 * MiB }, guard);
        if (bench.cannot.limit === undefined) assert.equal(result.outcome, 'applied', result.reason);
        else assert.equal(result.outcome, 'unsupported');
        assert.match(result.reason, /\w+ \w+/);
      }),
  },
  {
    name: 'drill 1: refuses a limit below what is in use, and nobody dies',
    needs: 'limit',
    run: async (bench) =>
      await withContainer(bench, async (container) => {
        await container.anon(32 * MiB);
        await bench.runtime.limit(container.id, { limitBytes: 512 * MiB }, guard);
        const { workingSetBytes } = await observed(bench.runtime, container.id);
        for (const limitBytes of [16 * MiB, bytes(workingSetBytes), bytes(workingSetBytes) + 2 * MiB]) {
          const result = await bench.runtime.limit(container.id, { limitBytes }, guard);
          assert.equal(result.outcome, 'refused', result.reason);
          assert.match(result.reason, /in use/);
          assert.equal(result.readBackBytes, 512 * MiB);
        }
        assert.equal(bench.kernelLimit(container.id), 512 * MiB);
        assert.ok(container.isAlive());
        assert.equal((await observed(bench.runtime, container.id)).oomKills, 0);
      }),
  },
  {
    name: 'drill 4: shrinks a container that is mostly page cache, without a kill',
    needs: 'limit',
    run: async (bench) =>
      await withContainer(bench, async (container) => {
        await container.anon(16 * MiB);
        await container.cache(64 * MiB);
        const before = await observed(bench.runtime, container.id);
        const limitBytes = bytes(before.workingSetBytes) + 24 * MiB;
        assert.ok(bytes(before.usageBytes) > limitBytes, 'usage starts above the new limit');
        const result = await bench.runtime.limit(container.id, { limitBytes }, guard);
        assert.equal(result.outcome, 'applied', result.reason);
        const after = await observed(bench.runtime, container.id);
        assert.ok(bytes(after.usageBytes) <= limitBytes);
        assert.equal(after.oomKills, 0);
        assert.ok(container.isAlive());
      }),
  },
  {
    name: 'reclaims page cache and says how much',
    needs: 'reclaim',
    run: async (bench) =>
      await withContainer(bench, async (container) => {
        await container.cache(40 * MiB);
        const before = await observed(bench.runtime, container.id);
        const result = await bench.runtime.reclaim(container.id, 24 * MiB, 10_000);
        const after = await observed(bench.runtime, container.id);
        assert.equal(result.outcome, 'reclaimed', result.reason);
        const fell = bytes(before.usageBytes) - bytes(after.usageBytes);
        assert.ok(fell >= 20 * MiB, `usage fell by ${fell}`);
        assert.ok(Math.abs(bytes(result.reclaimedBytes) - fell) < 4 * MiB, `said ${result.reclaimedBytes}`);
      }),
  },
  {
    name: 'says that little can be reclaimed where little can',
    needs: 'reclaim',
    run: async (bench) =>
      await withContainer(bench, async (container) => {
        await container.anon(32 * MiB);
        const result = await bench.runtime.reclaim(container.id, 512 * MiB, 10_000);
        assert.equal(result.outcome, 'short', result.reason);
        assert.ok(result.reclaimedBytes === null || result.reclaimedBytes < 256 * MiB);
        assert.ok(container.isAlive());
      }),
  },
  {
    name: 'has pressure, or the reason why not',
    run: async (bench) =>
      await withContainer(bench, async ({ id }) => {
        const seen = await observed(bench.runtime, id);
        const pressure = bench.runtime.pressure(id);
        if (bench.cannot.pressure !== undefined) {
          assert.equal(pressure.kind, 'missing');
          assert.equal(seen.psi, null);
          return;
        }
        assert.ok(pressure.kind === 'pressure' && seen.psi !== null);
        assert.ok(pressure.psi.someTotalUs >= seen.psi.someTotalUs);
        assert.ok(pressure.psi.fullTotalUs <= pressure.psi.someTotalUs);
      }),
  },
  {
    name: 'drill 10: answers gone for what went away, whatever is asked',
    run: async (bench) =>
      await withContainer(bench, async (container) => {
        await observed(bench.runtime, container.id);
        await container.remove();
        await assertGone(bench.runtime, container.id);
      }),
  },
  {
    name: 'makes no path from an id',
    run: async (bench) =>
      await withContainer(bench, async ({ id }) => {
        await observed(bench.runtime, id);
        for (const foreign of [
          '',
          '.',
          '..',
          `../${id}`,
          `./${id}`,
          `${id}/`,
          '/',
          `${id}/../${id}`,
          'a\0b',
        ]) {
          await assertGone(bench.runtime, foreign);
        }
      }),
  },
  {
    name: 'does not touch the successor of the container that was meant',
    needs: 'limit',
    run: async (bench) =>
      await withContainer(bench, async (first) => {
        const { incarnation } = (await observed(bench.runtime, first.id)).container;
        await first.remove();
        const second = await bench.start(first.id);
        const old = await bench.runtime.limit(first.id, { limitBytes: 512 * MiB }, { ...guard, incarnation });
        assert.equal(old.outcome, 'gone');
        assert.equal(bench.kernelLimit(second.id), 'max');
        assert.notEqual((await observed(bench.runtime, second.id)).container.incarnation, incarnation);
        await second.remove();
      }),
  },
  {
    name: 'refuses numbers that are none',
    needs: 'limit',
    run: async (bench) =>
      await withContainer(bench, async ({ id }) => {
        for (const limitBytes of [Number.NaN, -1, 0.5, Number.POSITIVE_INFINITY]) {
          await assert.rejects(bench.runtime.limit(id, { limitBytes }, guard), /limitBytes: found .*give/);
        }
      }),
  },
  {
    name: 'tells of containers that appear and vanish',
    run: async (bench) => {
      const changes: ContainerChange[] = [];
      const errors: unknown[] = [];
      const watch = bench.runtime.watch((change) => changes.push(change), {
        onError: (error) => errors.push(error),
      });
      const told = async (kind: ContainerChange['kind'], id: string): Promise<void> =>
        await until(`${kind} ${id}`, () =>
          changes.some((change) => change.kind === kind && change.container.id === id),
        );
      await withContainer(bench, async (container) => {
        await told('appeared', container.id);
        await container.remove();
        await told('vanished', container.id);
      });
      await watch.stop();
      assert.deepEqual(errors, []);
      assert.match(watch.source, /every \d+ ms/);
    },
  },
];

let containers = 0;

async function withContainer(bench: Bench, run: (container: BenchContainer) => Promise<void>): Promise<void> {
  const container = await bench.start(`c${++containers}`);
  try {
    await run(container);
  } finally {
    if ((await idsOf(bench.runtime)).includes(container.id)) await container.remove();
  }
}

async function idsOf(runtime: Runtime): Promise<string[]> {
  return (await runtime.list()).map(({ id }) => id);
}

async function assertGone(runtime: Runtime, id: string): Promise<void> {
  const answers = [
    (await runtime.observe(id)).kind,
    runtime.pressure(id).kind,
    (await runtime.limit(id, { limitBytes: 512 * MiB }, guard)).outcome,
    (await runtime.reclaim(id, MiB, 1_000)).outcome,
  ];
  assert.deepEqual(answers, ['gone', 'gone', 'gone', 'gone'], JSON.stringify(id));
}
