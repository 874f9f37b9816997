import { afterEach, describe, expect, it } from 'vitest';
import type { LimitOutcome, ReclaimOutcome } from '../runtime.ts';
import { observed } from '../testing/expect.ts';
import { type FixtureBench, fixtureBench } from '../testing/fixture-bench.ts';

const MiB = 1024 * 1024;
const guard = { usageMarginBytes: 4 * MiB, deadlineMs: 1_000 };
const benches: FixtureBench[] = [];

async function started(version: 1 | 2) {
  const bench = fixtureBench(version);
  benches.push(bench);
  const container = await bench.start('c');
  await container.anon(64 * MiB);
  await bench.runtime.limit('c', { limitBytes: 512 * MiB }, guard);
  return { ...bench, container };
}

afterEach(async () => {
  for (const bench of benches.splice(0)) await bench.close();
});

describe('answers of the kernel to a write of a limit', () => {
  const cases: [1 | 2, string, LimitOutcome, RegExp][] = [
    [2, 'EINVAL', 'refused', /memory\.max: .*EINVAL/],
    [2, 'ENODEV', 'gone', /no longer/],
    [2, 'EACCES', 'unsupported', /not permitted.*EACCES/],
    [2, 'EPERM', 'unsupported', /not permitted/],
    [2, 'EROFS', 'unsupported', /not permitted/],
    [2, 'EAGAIN', 'refused', /could not reclaim/],
    [2, 'EBUSY', 'busy', /in use/],
    [2, 'EIO', 'refused', /system call failed \(EIO\)/],
    [1, 'EBUSY', 'busy', /memory\.limit_in_bytes: .*EBUSY/],
    [1, 'EINVAL', 'refused', /EINVAL/],
    [1, 'ENODEV', 'gone', /no longer/],
    [1, 'EACCES', 'unsupported', /EACCES/],
  ];
  for (const limitBytes of [256 * MiB, 1024 * MiB]) {
    it.each(cases)(`v%i %s, to ${limitBytes}: %s`, async (version, code, outcome, reason) => {
      const { files, runtime, kernelLimit } = await started(version);
      files.failNext('write', version === 2 ? 'memory.max' : 'memory.limit_in_bytes', code);
      const result = await runtime.limit('c', { limitBytes }, guard);
      expect(result).toMatchObject({ outcome, reason: expect.stringMatching(reason) });
      expect(kernelLimit('c')).toBe(512 * MiB);
      expect(files.writes.filter(({ file }) => file === 'memory.high').at(-1)?.text ?? 'max').toBe('max');
    });
  }

  it.each(['memory.events', 'memory.stat', 'memory.current'] as const)(
    'does not lower a limit without %s',
    async (file) => {
      const { files, runtime, kernelLimit } = await started(2);
      files.failNext('read', file, 'EACCES');
      const result = await runtime.limit('c', { limitBytes: 256 * MiB }, guard);
      expect(result).toMatchObject({ outcome: 'unsupported', reason: expect.stringContaining(file) });
      expect(kernelLimit('c')).toBe(512 * MiB);
    },
  );

  it('takes the limit and names what else it could not take', async () => {
    const { files, runtime } = await started(2);
    files.failNext('write', 'memory.low', 'EINVAL');
    files.failNext('write', 'memory.oom.group', 'EACCES');
    const others = { lowBytes: MiB, minBytes: MiB, highBytes: 128 * MiB, oomGroup: true };
    const result = await runtime.limit('c', { limitBytes: 256 * MiB, ...others }, guard);
    expect(result.outcome).toBe('applied');
    expect(Object.keys(result.skipped).sort()).toEqual(['lowBytes', 'oomGroup']);
    expect((await observed(runtime, 'c')).protections).toMatchObject({ minBytes: MiB, highBytes: 128 * MiB });
  });

  it('names what v1 does not have, and sets its soft limit for low', async () => {
    const { runtime } = await started(1);
    const others = { lowBytes: 8 * MiB, minBytes: MiB, highBytes: 128 * MiB, oomGroup: true };
    const result = await runtime.limit('c', { limitBytes: 256 * MiB, ...others }, guard);
    expect(result.outcome).toBe('applied');
    expect(Object.keys(result.skipped).sort()).toEqual(['highBytes', 'minBytes', 'oomGroup']);
    expect((await observed(runtime, 'c')).protections.softLimitBytes).toBe(8 * MiB);
  });
});

describe('answers of the kernel to reclaiming', () => {
  it.each<[1 | 2, string, ReclaimOutcome]>([
    [2, 'EAGAIN', 'short'],
    [2, 'EINVAL', 'unsupported'],
    [2, 'ENOENT', 'unsupported'],
    [2, 'EACCES', 'unsupported'],
    [2, 'ENODEV', 'gone'],
    [1, 'EBUSY', 'short'],
    [1, 'EACCES', 'unsupported'],
    [1, 'ENODEV', 'gone'],
  ])('v%i %s: %s', async (version, code, outcome) => {
    const { files, runtime } = await started(version);
    files.failNext('write', version === 2 ? 'memory.reclaim' : 'memory.force_empty', code);
    expect((await runtime.reclaim('c', 8 * MiB, 1_000)).outcome).toBe(outcome);
  });

  it('does not know how much was reclaimed when usage grew meanwhile', async () => {
    const { files, runtime, container } = await started(2);
    await container.cache(64 * MiB);
    files.onWrite('after', 'memory.reclaim', async () => await container.anon(100 * MiB));
    const result = await runtime.reclaim('c', 8 * MiB, 1_000);
    expect(result).toMatchObject({ reclaimedBytes: null, reason: expect.stringMatching(/usage grew by/) });
  });
});

describe('answers of the kernel to reading', () => {
  it.each([
    ['memory.pressure', 'EOPNOTSUPP', 'psi', /switched off/],
    ['memory.swap.current', 'ENOENT', 'swapBytes', /no such file/],
    ['memory.current', 'EACCES', 'usageBytes', /not permitted/],
    ['memory.stat', 'EIO', 'anonBytes', /EIO/],
  ] as const)('%s %s: %s is missing with the reason', async (file, code, field, reason) => {
    const { files, runtime } = await started(2);
    files.failNext('read', file, code);
    const seen = await observed(runtime, 'c');
    expect(seen[field]).toBeNull();
    expect(seen.missing[field]).toMatch(reason);
  });

  it('has no working set without usage', async () => {
    const { files, runtime } = await started(2);
    files.failNext('read', 'memory.current', 'EACCES');
    expect(await observed(runtime, 'c')).toMatchObject({
      workingSetBytes: null,
      missing: { workingSetBytes: 'usage is not known' },
    });
  });

  it.each([1, 2] as const)('is gone when any file of v%i says ENODEV', async (version) => {
    const read =
      version === 2
        ? (['memory.current', 'memory.stat', 'memory.events', 'memory.max', 'memory.pressure'] as const)
        : (['memory.usage_in_bytes', 'memory.stat', 'memory.oom_control', 'memory.failcnt'] as const);
    for (const file of read) {
      const { files, runtime } = await started(version);
      files.failNext('read', file, 'ENODEV');
      expect((await runtime.observe('c')).kind).toBe('gone');
    }
  });

  it('tells pressure that is off from a container that is gone', async () => {
    const { files, runtime, container } = await started(2);
    files.failNext('read', 'memory.pressure', 'EOPNOTSUPP');
    expect(runtime.pressure('c')).toMatchObject({
      kind: 'missing',
      reason: expect.stringMatching(/EOPNOTSUPP/),
    });
    await container.remove();
    expect(runtime.pressure('c').kind).toBe('gone');
  });

  it('lets errors of the program through', async () => {
    const { files, runtime } = await started(2);
    files.read = async () => {
      throw new TypeError('a bug');
    };
    await expect(runtime.observe('c')).rejects.toThrow(TypeError);
  });
});
