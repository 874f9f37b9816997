/** Containers that are plain processes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProcessRuntime } from '../process/processes.ts';
import { type Bench, realTiming } from './bench.ts';
import { Eater } from './eater.ts';

export function processBench(): Bench {
  const eaters = new Map<string, Eater>();
  const data = mkdtempSync(join(tmpdir(), 'nautilus-process-data-'));
  const unlimited = 'a plain process has no kernel limit';
  return {
    name: 'plain processes',
    runtime: new ProcessRuntime({
      processes: () => new Map([...eaters].map(([id, eater]) => [id, [eater.pid]])),
      timing: realTiming,
      pollMs: 50,
      proc: process.platform === 'linux' ? '/proc' : null,
    }),
    cannot: {
      limit: unlimited,
      reclaim: unlimited,
      pressure: 'a plain process has no pressure of its own',
      'page cache': 'the page cache is not charged to a process',
    },
    async start(id) {
      const eater = await Eater.start(null);
      eaters.set(id, eater);
      return {
        id,
        anon: async (bytes) => await eater.anon(bytes),
        cache: async (bytes) => await eater.cache(bytes, join(data, id)),
        isAlive: () => eater.isAlive(),
        async remove() {
          await eater.kill();
          eaters.delete(id);
        },
      };
    },
    kernelLimit: () => null,
    async close() {
      for (const eater of eaters.values()) await eater.kill();
      rmSync(data, { recursive: true });
    },
  };
}
