import { afterEach, describe, expect, it } from 'vitest';
import type { ContainerChange, RuntimeWatch } from '../runtime.ts';
import { realTiming } from '../testing/bench.ts';
import { type FixtureBench, fixtureBench } from '../testing/fixture-bench.ts';
import { CgroupRuntime } from './cgroup.ts';

const MiB = 1024 * 1024;
const open: { bench: FixtureBench; watch: RuntimeWatch }[] = [];

function watched(version: 1 | 2, pollMs: number) {
  const bench = fixtureBench(version);
  const runtime = new CgroupRuntime({
    files: bench.files,
    timing: realTiming,
    version,
    parent: bench.parent,
    pollMs,
  });
  const changes: ContainerChange[] = [];
  const errors: unknown[] = [];
  const watch = runtime.watch((change) => changes.push(change), { onError: (error) => errors.push(error) });
  open.push({ bench, watch });
  return { ...bench, changes, errors, watch };
}

afterEach(async () => {
  for (const { bench, watch } of open.splice(0)) {
    await watch.stop();
    await bench.close();
  }
});

describe('watching cgroups', () => {
  it('tells the difference of events, once, and by notification when it looks only every minute', async () => {
    const { start, files, changes, errors, watch } = watched(2, 60_000);
    expect(watch.source).toMatch(/notifications .* every 60000 ms/);
    const container = await start('c');
    await expect.poll(() => changes.length).toBe(1);
    // Let the first look end, so that what follows is news.
    await realTiming.sleep(100);
    await container.anon(64 * MiB);
    await files.write(files.directoryOf('c'), 'memory.high', String(MiB));
    await files.write(files.directoryOf('c'), 'memory.max', String(MiB));
    const news = () => changes.filter((change) => change.kind === 'memory-events');
    await expect.poll(() => news().reduce((sum, change) => sum + change.oomKills, 0)).toBe(1);
    await realTiming.sleep(100);
    expect(news().reduce((sum, { highEvents }) => sum + (highEvents ?? 0), 0)).toBe(1);
    expect(errors).toEqual([]);
  });

  it('says why v1 is only looked at', async () => {
    const { watch } = watched(1, 50);
    expect(watch.source).toMatch(/a look every 50 ms: cgroup v1 notifies through an eventfd/);
  });

  it('takes a container that came back under its name for another one', async () => {
    const { start, changes } = watched(2, 20);
    await (await start('c')).remove();
    await start('c');
    const told = () => changes.map(({ kind, container }) => `${kind} ${container.incarnation}`);
    await expect.poll(() => told().at(-1)).toBe('appeared 2');
    // The first may have come and gone between two looks.
    expect([['appeared 2'], ['appeared 1', 'vanished 1', 'appeared 2']]).toContainEqual(told());
  });

  it('goes on after a look that failed, and tells of the failure', async () => {
    const { start, files, changes, errors } = watched(2, 20);
    const children = files.children;
    files.children = async () => {
      throw new Error('not now');
    };
    await expect.poll(() => errors.length).toBeGreaterThan(1);
    expect(errors[0]).toMatchObject({ message: 'not now' });
    files.children = children;
    await start('c');
    await expect.poll(() => changes.map(({ kind }) => kind)).toContain('appeared');
  });
});
