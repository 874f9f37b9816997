/** Containers of a real kernel: cgroups below one that is made for the test, with processes that eat memory. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CgroupRuntime } from '../cgroup/cgroup.ts';
import { type CgroupFiles, kernelFiles } from '../cgroup/files.ts';
import { parseLimit } from '../cgroup/parse.ts';
import { type Bench, type BenchContainer, realTiming } from './bench.ts';
import { Eater } from './eater.ts';

export interface KernelContainer extends BenchContainer {
  readonly directory: string;
  readonly eater: Eater;
}

export interface KernelBench extends Bench {
  readonly parent: string;
  start(id: string): Promise<KernelContainer>;
}

/** Null: cgroups can be made there; else why not. */
export function whyNotWritable(root: string): string | null {
  const probe = join(root, `nautilus-probe-${process.pid}`);
  try {
    mkdirSync(probe);
    rmdirSync(probe);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** `files`: another view of the same kernel, for tests that step in between. */
export function kernelBench(version: 1 | 2, root: string, files: CgroupFiles = kernelFiles): KernelBench {
  const parent = join(root, `nautilus-test-${process.pid}-${Date.now().toString(36)}`);
  mkdirSync(parent);
  if (version === 2) {
    writeFileSync(join(root, 'cgroup.subtree_control'), '+memory');
    writeFileSync(join(parent, 'cgroup.subtree_control'), '+memory');
  }
  const data = mkdtempSync(join(tmpdir(), 'nautilus-cgroup-data-'));
  const limitFile = version === 2 ? 'memory.max' : 'memory.limit_in_bytes';
  const eaters = new Set<Eater>();
  return {
    name: `kernel, cgroup v${version}`,
    parent,
    runtime: new CgroupRuntime({ files, timing: realTiming, version, parent, pollMs: 200 }),
    cannot: version === 2 ? {} : { pressure: 'cgroup v1 has no pressure' },
    async start(id) {
      const directory = join(parent, id);
      mkdirSync(directory);
      const eater = await Eater.start(join(directory, 'cgroup.procs'));
      eaters.add(eater);
      let files = 0;
      return {
        id,
        directory,
        eater,
        anon: async (bytes) => await eater.anon(bytes),
        cache: async (bytes) => await eater.cache(bytes, join(data, `${id}-${++files}`)),
        isAlive: () => eater.isAlive(),
        async remove() {
          await eater.kill();
          await removeCgroup(directory);
        },
      };
    },
    kernelLimit: (id) => parseLimit(readFileSync(join(parent, id, limitFile), 'utf8')),
    async close() {
      for (const eater of eaters) await eater.kill();
      for (const name of readdirSync(parent)) {
        if (statSync(join(parent, name)).isDirectory()) await removeCgroup(join(parent, name));
      }
      await removeCgroup(parent);
      rmSync(data, { recursive: true });
    },
  };
}

/** The kernel may hold a cgroup for a moment after its last process was waited for. */
async function removeCgroup(directory: string): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return rmdirSync(directory);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY' || attempt === 200) throw error;
      await realTiming.sleep(10);
    }
  }
}
