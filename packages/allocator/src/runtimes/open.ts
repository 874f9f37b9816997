/** The runtime that the configuration names, with the names that the configuration gives its containers. */
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, NautilusError } from '@nautilus/contracts';
import type { Clock } from '@nautilus/kit';
import { CgroupRuntime } from './cgroup/cgroup.ts';
import { detectHierarchy, type Hierarchy } from './cgroup/detect.ts';
import { kernelFiles } from './cgroup/files.ts';
import { DockerRuntime } from './docker/docker.ts';
import { ProcessRuntime } from './process/processes.ts';
import { runtimes } from './registry.ts';
import type { Runtime } from './runtime.ts';

export interface OpenedRuntime {
  readonly runtime: Runtime;
  /** Not null: containers can be started, stopped and replicated through it. */
  readonly docker: DockerRuntime | null;
  readonly enforces: boolean;
  /** The configured name of what the runtime calls `id`; null: not ours. */
  nameOf(id: string): string | null;
  idOf(name: string): string;
  /** For a person. */
  readonly summary: string;
}

export interface RuntimeParts {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: () => number;
  /** The processes of each container, as the socket knows them. */
  readonly processes: () => ReadonlyMap<string, readonly number[]>;
}

/** Where the kernel notifies, a look is only a safety net. */
const calmPollMs = 1_000;
/** The engine tells of OOM kills itself; this finds what it kept to itself. */
const enginePollMs = 250;
const relistMs = 10_000;

/** Null: `runtime.kind` is `none`. */
export async function openRuntime(parts: RuntimeParts): Promise<OpenedRuntime | null> {
  const { config, clock, random, processes } = parts;
  const { kind, poll: pollMs, docker_socket: socketPath } = config.runtime;
  if (kind === 'none') return null;
  const names = namesOf(config);
  if (kind === 'process') {
    const proc = process.platform === 'linux' ? '/proc' : null;
    const runtime = new ProcessRuntime({ processes, timing: clock, pollMs: Math.max(pollMs, 100), proc });
    return { ...names, runtime, docker: null, enforces: runtimes.process.enforces, summary: 'processes' };
  }
  const hierarchy = await hierarchyOfThisMachine();
  if (kind === 'docker') {
    const docker = new DockerRuntime({
      socketPath,
      configuredNames: names.ids,
      files: kernelFiles,
      hierarchy,
      clock,
      random,
      pollMs: Math.max(pollMs, enginePollMs),
      relistMs,
    });
    const summary = `Docker engine at ${socketPath}; ${hierarchy.reason}`;
    return { ...names, runtime: docker, docker, enforces: runtimes.docker.enforces, summary };
  }
  if (hierarchy.version === null) throw refused(`runtime.kind is cgroup, but ${hierarchy.reason}`);
  const parent = config.runtime.cgroup_root ?? ownParent(hierarchy.root);
  if (statSync(parent, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw refused(`runtime.cgroup_root: ${parent} is no directory; make the cgroup, or name another one`);
  }
  const runtime = new CgroupRuntime({
    files: kernelFiles,
    timing: clock,
    version: hierarchy.version,
    parent,
    pollMs: hierarchy.version === 2 ? Math.max(pollMs, calmPollMs) : pollMs,
  });
  const summary = `cgroups below ${parent}; ${hierarchy.reason}`;
  return { ...names, runtime, docker: null, enforces: runtimes.cgroup.enforces, summary };
}

async function hierarchyOfThisMachine(): Promise<Hierarchy> {
  if (process.platform !== 'linux') {
    return { version: null, reason: `there are no cgroups on ${process.platform}` };
  }
  return await detectHierarchy(kernelFiles, readFileSync('/proc/self/mountinfo', 'utf8'));
}

function ownParent(root: string): string {
  const parent = join(root, 'nautilus');
  try {
    mkdirSync(parent, { recursive: true });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw refused(`the cgroup ${parent} cannot be made (${why}); name one with runtime.cgroup_root`);
  }
  return parent;
}

function refused(message: string): NautilusError {
  return new NautilusError({ code: 'config_invalid', message });
}

function namesOf({ containers }: Config) {
  const idByName = new Map(Object.entries(containers).map(([name, one]) => [name, one.container ?? name]));
  const nameById = new Map([...idByName].map(([name, id]) => [id, name]));
  return {
    ids: new Set(nameById.keys()),
    nameOf: (id: string) => nameById.get(id) ?? null,
    idOf: (name: string) => idByName.get(name) ?? name,
  };
}
