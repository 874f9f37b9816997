/** Containers of a fixture tree: the conformance suite without a kernel. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CgroupRuntime } from '../cgroup/cgroup.ts';
import { parseLimit } from '../cgroup/parse.ts';
import { type Bench, realTiming } from './bench.ts';
import { FakeCgroupFs } from './fake-cgroupfs.ts';

export interface FixtureBench extends Bench {
  readonly parent: string;
  readonly files: FakeCgroupFs;
}

export function fixtureBench(version: 1 | 2): FixtureBench {
  const root = mkdtempSync(join(tmpdir(), `nautilus-cgroup-v${version}-`));
  const files = new FakeCgroupFs(root, version);
  const limitFile = version === 2 ? 'memory.max' : 'memory.limit_in_bytes';
  return {
    name: `fixture tree of cgroup v${version}`,
    files,
    parent: root,
    runtime: new CgroupRuntime({ files, timing: realTiming, version, parent: root, pollMs: 50 }),
    cannot: version === 2 ? {} : { pressure: 'cgroup v1 has no pressure' },
    async start(id) {
      const directory = files.add(id);
      return {
        id,
        anon: async (bytes) => files.grow(directory, { anonBytes: bytes }),
        cache: async (bytes) => files.grow(directory, { cacheBytes: bytes }),
        isAlive: () => files.isAlive(directory),
        remove: async () => files.remove(directory),
      };
    },
    kernelLimit: (id) => parseLimit(readFileSync(join(root, id, limitFile), 'utf8')),
    close: async () => rmSync(root, { recursive: true }),
  };
}
