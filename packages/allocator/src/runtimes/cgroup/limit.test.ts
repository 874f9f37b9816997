import { afterEach, describe, expect, it } from 'vitest';
import { observed } from '../testing/expect.ts';
import { type FixtureBench, fixtureBench } from '../testing/fixture-bench.ts';
import { shrinkStep } from './shrink.ts';

const MiB = 1024 * 1024;
const guard = { usageMarginBytes: 8 * MiB, deadlineMs: 1_000 };
const benches: FixtureBench[] = [];

async function started(version: 1 | 2) {
  const bench = fixtureBench(version);
  benches.push(bench);
  const container = await bench.start('c');
  await container.anon(64 * MiB);
  await bench.runtime.limit('c', { limitBytes: 512 * MiB }, guard);
  bench.files.writes.length = 0;
  return { ...bench, container };
}

afterEach(async () => {
  for (const bench of benches.splice(0)) await bench.close();
});

describe('shrinking', () => {
  it.each([
    [{ usageBytes: 100, workingSetBytes: 80, targetBytes: 110, marginBytes: 10 }, 'write'],
    [{ usageBytes: 101, workingSetBytes: 80, targetBytes: 110, marginBytes: 10 }, 'reclaim'],
    [{ usageBytes: 900, workingSetBytes: 100, targetBytes: 110, marginBytes: 10 }, 'reclaim'],
    [{ usageBytes: 900, workingSetBytes: 101, targetBytes: 110, marginBytes: 10 }, 'refuse'],
    [{ usageBytes: 0, workingSetBytes: 0, targetBytes: 0, marginBytes: 0 }, 'write'],
  ])('%j: %s', (figures, step) => expect(shrinkStep(figures).step).toBe(step));

  it('fences with memory.high below the limit, and lifts the fence afterwards', async () => {
    const { files, runtime } = await started(2);
    const result = await runtime.limit('c', { limitBytes: 128 * MiB }, guard);
    expect(result).toMatchObject({ outcome: 'applied', readBackBytes: 128 * MiB, skipped: {} });
    expect(files.writes).toEqual([
      { file: 'memory.high', text: String(120 * MiB) },
      { file: 'memory.max', text: String(128 * MiB) },
      { file: 'memory.high', text: 'max' },
    ]);
  });

  it('leaves a lower memory.high alone', async () => {
    const { files, runtime } = await started(2);
    await runtime.limit('c', { limitBytes: 512 * MiB, highBytes: 80 * MiB }, guard);
    files.writes.length = 0;
    await runtime.limit('c', { limitBytes: 128 * MiB }, guard);
    expect(files.writes).toEqual([{ file: 'memory.max', text: String(128 * MiB) }]);
  });

  it('drill 2: looks again behind the fence, and takes back what was overtaken during the write', async () => {
    for (const file of ['memory.high', 'memory.max'] as const) {
      const { files, runtime, container, kernelLimit } = await started(2);
      // Grows to less than the new limit, so that the model does not kill, and into the margin.
      files.onWrite('before', file, async () => await container.anon(60 * MiB));
      const result = await runtime.limit('c', { limitBytes: 128 * MiB }, guard);
      expect(result).toMatchObject({ outcome: 'refused', readBackBytes: 512 * MiB });
      expect(kernelLimit('c')).toBe(512 * MiB);
      expect((await observed(runtime, 'c')).protections.highBytes).toBe('max');
      const written = files.writes.map((write) => `${write.file} ${write.text}`);
      expect(written.includes(`memory.max ${128 * MiB}`)).toBe(file === 'memory.max');
    }
  });

  it('reports kills that happened all the same, and restores', async () => {
    const { files, runtime, container, kernelLimit } = await started(2);
    files.onWrite('before', 'memory.max', async () => await container.anon(100 * MiB));
    const result = await runtime.limit('c', { limitBytes: 128 * MiB }, guard);
    expect(result).toMatchObject({ outcome: 'refused', reason: expect.stringMatching(/killed 1 processes/) });
    expect(kernelLimit('c')).toBe(512 * MiB);
  });

  it('gives up in time when page cache does not go, with everything as before', async () => {
    const { files, runtime, container, kernelLimit } = await started(2);
    await container.cache(256 * MiB);
    for (let round = 0; round < 500; round += 1) files.failNext('write', 'memory.reclaim', 'EAGAIN');
    const result = await runtime.limit('c', { limitBytes: 128 * MiB }, { ...guard, deadlineMs: 100 });
    expect(result).toMatchObject({ outcome: 'timed-out', reason: expect.stringMatching(/page cache/) });
    expect(kernelLimit('c')).toBe(512 * MiB);
    expect(files.writes).toEqual([]);
  });

  it('squeezes with memory.high where there is no memory.reclaim', async () => {
    const { files, runtime, container } = await started(2);
    await container.cache(256 * MiB);
    files.failNext('write', 'memory.reclaim', 'ENOENT');
    const result = await runtime.limit('c', { limitBytes: 128 * MiB }, guard);
    expect(result.outcome).toBe('applied');
    expect(files.writes[0]).toEqual({ file: 'memory.high', text: String(120 * MiB) });
  });

  it.each([
    [2, 'memory.max'],
    [1, 'memory.limit_in_bytes'],
  ] as const)('v%i: a write that hangs is late, and undone when it lands', async (version, file) => {
    const { files, runtime, kernelLimit } = await started(version);
    let land = (): void => undefined;
    const landing = new Promise<void>((resolve) => {
      land = resolve;
    });
    files.onWrite('before', file, async () => await landing);
    const result = await runtime.limit('c', { limitBytes: 128 * MiB }, { ...guard, deadlineMs: 50 });
    expect(result).toMatchObject({ outcome: 'timed-out', readBackBytes: 512 * MiB });
    land();
    await expect.poll(() => files.writes.filter((write) => write.file === file).length).toBe(2);
    await expect.poll(() => kernelLimit('c')).toBe(512 * MiB);
  });

  it.each([
    [2, 'memory.max'],
    [1, 'memory.limit_in_bytes'],
  ] as const)('drill 21: v%i: says when somebody else sets the limit too', async (version, file) => {
    const { files, runtime } = await started(version);
    files.onWrite('after', file, async () => {
      await files.write(files.directoryOf('c'), file, String(300 * MiB));
    });
    const result = await runtime.limit('c', { limitBytes: 128 * MiB }, guard);
    expect(result).toMatchObject({ outcome: 'refused', readBackBytes: 300 * MiB });
    expect(result.reason).toMatch(/someone else/);
  });
});

describe('a container that is replaced between check and write', () => {
  it.each([
    [2, 'memory.current'],
    [1, 'memory.usage_in_bytes'],
  ] as const)('v%i: its successor is not limited', async (version, lastRead) => {
    const { files, runtime, container, kernelLimit } = await started(version);
    const read = files.read.bind(files);
    files.read = async (directory, file) => {
      const text = await read(directory, file);
      if (file === lastRead) {
        files.read = read;
        await container.remove();
        files.add('c');
      }
      return text;
    };
    const result = await runtime.limit('c', { limitBytes: 128 * MiB }, guard);
    expect(result.outcome).toBe('gone');
    expect(kernelLimit('c')).toBe('max');
    expect(files.writes).toEqual([]);
  });
});

describe('memory and swap together on v1', () => {
  const memsw = 'memory.memsw.limit_in_bytes';
  const memory = 'memory.limit_in_bytes';

  async function withMemsw(memswBytes: number) {
    const bench = await started(1);
    await bench.files.write(bench.files.directoryOf('c'), memsw, String(memswBytes));
    bench.files.writes.length = 0;
    return bench;
  }

  it('lowers memory first and keeps as much swap beside it', async () => {
    const { files, runtime } = await withMemsw(640 * MiB);
    expect((await observed(runtime, 'c')).swapLimitBytes).toBe(128 * MiB);
    expect((await runtime.limit('c', { limitBytes: 256 * MiB }, guard)).outcome).toBe('applied');
    expect(files.writes).toEqual([
      { file: memory, text: String(256 * MiB) },
      { file: memsw, text: String(384 * MiB) },
    ]);
    expect((await observed(runtime, 'c')).swapLimitBytes).toBe(128 * MiB);
  });

  it('raises memsw first, because memory may not exceed it', async () => {
    const { files, runtime } = await withMemsw(512 * MiB);
    expect((await runtime.limit('c', { limitBytes: 1024 * MiB }, guard)).outcome).toBe('applied');
    expect(files.writes.map(({ file }) => file)).toEqual([memsw, memory]);
    expect((await observed(runtime, 'c')).swapLimitBytes).toBe(0);
  });

  it('puts memsw back when memory was not raised', async () => {
    const { files, runtime } = await withMemsw(512 * MiB);
    files.failNext('write', memory, 'EACCES');
    expect((await runtime.limit('c', { limitBytes: 1024 * MiB }, guard)).outcome).toBe('unsupported');
    expect((await observed(runtime, 'c')).swapLimitBytes).toBe(0);
    expect(files.writes.map(({ text }) => text)).toEqual([String(1024 * MiB), String(512 * MiB)]);
  });

  it('keeps the lower limit when memsw stays busy, and says so', async () => {
    const { files, runtime } = await withMemsw(640 * MiB);
    files.failNext('write', memsw, 'EBUSY');
    const result = await runtime.limit('c', { limitBytes: 256 * MiB }, guard);
    expect(result).toMatchObject({ outcome: 'applied', readBackBytes: 256 * MiB });
    expect(result.skipped['swap']).toMatch(/stays/);
  });
});
