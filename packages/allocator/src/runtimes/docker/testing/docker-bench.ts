/** Containers of a real Docker engine, for the conformance suite of the runtimes. */
import { systemClock } from '@nautilus/kit';
import type { Hierarchy } from '../../cgroup/detect.ts';
import { kernelFiles } from '../../cgroup/files.ts';
import { parseKeyed, parseLimit } from '../../cgroup/parse.ts';
import { type Bench, type BenchContainer, realTiming } from '../../testing/bench.ts';
import { memoryLabel } from '../discovery.ts';
import { DockerRuntime, type DockerRuntimeOptions } from '../docker.ts';
import type { StartedContainer, TestEngine } from './engine.ts';

const MiB = 1024 * 1024;
const v1Names = { anon: 'total_rss', file: 'total_cache' };
const usage = { v1: 'memory.usage_in_bytes', v2: 'memory.current' };

export function dockerRuntime(
  engine: TestEngine,
  hierarchy: Hierarchy,
  options: Partial<DockerRuntimeOptions> = {},
): DockerRuntime {
  return new DockerRuntime({
    socketPath: engine.socketPath,
    configuredNames: new Set(),
    files: kernelFiles,
    hierarchy,
    clock: systemClock(),
    random: () => 0.5,
    pollMs: 200,
    relistMs: 5_000,
    ...options,
  });
}

export function cannotOf({ version }: Hierarchy): Bench['cannot'] {
  return version === 2 ? {} : { pressure: 'cgroup v1 has no pressure' };
}

export function dockerBench(engine: TestEngine, hierarchy: Hierarchy): Bench {
  const started = new Map<string, StartedContainer>();
  return {
    name: `docker on cgroup v${hierarchy.version}`,
    runtime: dockerRuntime(engine, hierarchy),
    cannot: cannotOf(hierarchy),
    async start(id): Promise<BenchContainer> {
      const container = await engine.run(id, { labels: { [memoryLabel]: '' } });
      started.set(id, container);
      // Usage would not do: what grows may push page cache out of a limit.
      const grow = async (step: 'anon' | 'file', bytes: number): Promise<void> => {
        const read = () => {
          const stat = parseKeyed(engine.kernelFile(container.id, { v1: 'memory.stat', v2: 'memory.stat' }));
          return stat.get(v1Names[step]) ?? stat.get(step) ?? 0;
        };
        const target = read() + bytes;
        await container.also(`${step}:${bytes / MiB}`);
        for (const endMs = realTiming.monotonic() + 10_000; read() < target; ) {
          if (realTiming.monotonic() > endMs) throw new Error(`${step} of ${bytes} bytes was not charged`);
          await realTiming.sleep(10);
        }
      };
      return {
        id,
        anon: async (bytes) => await grow('anon', bytes),
        cache: async (bytes) => await grow('file', bytes),
        isAlive: () => Number(engine.kernelFile(container.id, usage)) > 0,
        remove: async () => await container.remove(),
      };
    },
    kernelLimit(id) {
      const { id: engineId } = started.get(id) ?? { id: '' };
      return parseLimit(engine.kernelFile(engineId, { v1: 'memory.limit_in_bytes', v2: 'memory.max' }));
    },
    close: async () => undefined,
  };
}
