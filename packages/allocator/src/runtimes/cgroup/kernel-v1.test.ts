import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { realTiming } from '../testing/bench.ts';
import { bytes, observed } from '../testing/expect.ts';
import { type KernelBench, kernelBench, whyNotWritable } from '../testing/kernel-bench.ts';
import { SteppingFiles } from '../testing/stepping-files.ts';
import { CgroupRuntime } from './cgroup.ts';
import { detectHierarchy } from './detect.ts';
import { kernelFiles } from './files.ts';

const MiB = 1024 * 1024;
const guard = { usageMarginBytes: 8 * MiB, deadlineMs: 10_000 };
const hierarchy =
  process.platform === 'linux'
    ? await detectHierarchy(kernelFiles, readFileSync('/proc/self/mountinfo', 'utf8'))
    : { version: null, reason: `there are no cgroups on ${process.platform}` };
const whyNot =
  hierarchy.version !== 1
    ? `no memory controller of v1: ${hierarchy.reason}`
    : whyNotWritable(hierarchy.root);
const suffix = whyNot === null ? '' : ` (skipped: ${whyNot})`;

describe.skipIf(whyNot !== null)(`drills on the real cgroup v1${suffix}`, () => {
  const root = hierarchy.version === null ? '' : hierarchy.root;
  const benches: KernelBench[] = [];

  function open(): KernelBench {
    const bench = kernelBench(1, root);
    benches.push(bench);
    return bench;
  }

  afterEach(async () => {
    for (const bench of benches.splice(0)) await bench.close();
  });

  it('drills 1 and 2: usage that jumps between check and write is answered EBUSY, and nobody dies', async () => {
    const bench = open();
    const container = await bench.start('jump');
    const files = new SteppingFiles();
    const runtime = new CgroupRuntime({
      files,
      timing: realTiming,
      version: 1,
      parent: bench.parent,
      pollMs: 200,
    });
    await container.anon(32 * MiB);
    await runtime.limit('jump', { limitBytes: 1024 * MiB }, guard);
    const limitBytes = bytes((await observed(runtime, 'jump')).workingSetBytes) + 16 * MiB;
    files.beforeNext(
      container.directory,
      'memory.limit_in_bytes',
      async () => await container.anon(64 * MiB),
    );
    const result = await runtime.limit('jump', { limitBytes }, guard);
    expect(result).toMatchObject({ outcome: 'busy', readBackBytes: 1024 * MiB });
    expect(result.reason).toMatch(/EBUSY/);
    expect(container.isAlive()).toBe(true);
    expect((await observed(runtime, 'jump')).oomKills).toBe(0);
  });

  it('moves memory and swap together in the order that the kernel asks for', async () => {
    const bench = open();
    const container = await bench.start('swap');
    const memsw = join(container.directory, 'memory.memsw.limit_in_bytes');
    const kernelMemsw = () => Number(readFileSync(memsw, 'utf8'));
    await bench.runtime.limit('swap', { limitBytes: 512 * MiB }, guard);
    writeFileSync(memsw, String(640 * MiB));
    for (const [limitBytes, both] of [
      [256 * MiB, 384 * MiB],
      [1024 * MiB, 1152 * MiB],
    ] as const) {
      const result = await bench.runtime.limit('swap', { limitBytes }, guard);
      expect(result).toMatchObject({ outcome: 'applied', readBackBytes: limitBytes, skipped: {} });
      expect(kernelMemsw()).toBe(both);
    }
  });
});
