/** Containers that are the child cgroups of one cgroup, on whichever version has the memory controller. */
import { join } from 'node:path';
import type {
  ContainerChange,
  ContainerRef,
  Gone,
  LimitGuard,
  LimitRequest,
  LimitResult,
  Observation,
  Pressure,
  ReclaimResult,
  Runtime,
  RuntimeWatch,
  Timing,
  WatchOptions,
} from '../runtime.ts';
import type { Controller } from './controller.ts';
import { CgroupDirectory, type CgroupFiles } from './files.ts';
import { checkRequest } from './shrink.ts';
import { cgroupV1 } from './v1.ts';
import { cgroupV2 } from './v2.ts';
import { watchCgroups } from './watch.ts';

export interface CgroupRuntimeOptions {
  readonly files: CgroupFiles;
  readonly timing: Timing;
  readonly version: 1 | 2;
  /** The cgroup whose children are the containers. Comes from the configuration, not from a container. */
  readonly parent: string;
  /** Between two looks at what the kernel does not notify of. */
  readonly pollMs: number;
}

export class CgroupRuntime implements Runtime {
  readonly name = 'cgroup';
  readonly #options: CgroupRuntimeOptions;
  readonly #controller: Controller;
  /** Names as the kernel listed them. */
  #directories: ReadonlyMap<string, CgroupDirectory> = new Map();

  constructor(options: CgroupRuntimeOptions) {
    this.#options = options;
    this.#controller = options.version === 2 ? cgroupV2 : cgroupV1;
  }

  async list(): Promise<readonly ContainerRef[]> {
    const { files, parent } = this.#options;
    const found = new Map<string, CgroupDirectory>();
    for (const name of await files.children(parent)) {
      const path = join(parent, name);
      const incarnation = inodeOf(files, path);
      if (incarnation !== null) found.set(name, new CgroupDirectory(files, path, incarnation));
    }
    this.#directories = found;
    return [...found].map(([id, { incarnation }]) => ({ id, incarnation }));
  }

  watch(onChange: (change: ContainerChange) => void, options: WatchOptions): RuntimeWatch {
    return watchCgroups(
      {
        ...this.#options,
        controller: this.#controller,
        list: async () => await this.list(),
        directoryOf: (id) => this.#directories.get(id) ?? null,
      },
      onChange,
      options,
    );
  }

  async observe(id: string): Promise<Observation | Gone> {
    const directory = await this.#find(id);
    if (directory === null) return goneOf(id);
    const { figures, missing, goneReason } = await this.#controller.observe(directory);
    // Figures of two containers in one observation would be nobody's.
    if (goneReason !== null || !directory.isSame()) {
      return { kind: 'gone', reason: goneReason ?? `${id} was replaced while it was read` };
    }
    const container = { id, incarnation: directory.incarnation };
    return { kind: 'observation', container, ...figures, missing };
  }

  pressure(id: string): Pressure {
    const directory = this.#directories.get(id);
    if (directory === undefined) return goneOf(id);
    const psi = this.#controller.pressure(directory);
    if (psi.ok) return { kind: 'pressure', psi: psi.value };
    return { kind: psi.refusal === 'gone' ? 'gone' : 'missing', reason: psi.reason };
  }

  async limit(id: string, request: LimitRequest, guard: LimitGuard): Promise<LimitResult> {
    checkRequest(request, guard);
    const directory = await this.#find(id);
    const isOther = guard.incarnation !== undefined && directory?.incarnation !== guard.incarnation;
    if (directory === null || isOther) {
      return { outcome: 'gone', readBackBytes: null, reason: goneOf(id).reason, skipped: {} };
    }
    return await this.#controller.limit(directory, request, guard, this.#options.timing);
  }

  async reclaim(id: string, bytes: number, deadlineMs: number): Promise<ReclaimResult> {
    checkRequest({ bytes }, { usageMarginBytes: 0, deadlineMs });
    const directory = await this.#find(id);
    if (directory === null) return { outcome: 'gone', reclaimedBytes: null, reason: goneOf(id).reason };
    return await this.#controller.reclaim(directory, bytes, deadlineMs, this.#options.timing);
  }

  /** Looks the id up among the listed names; it never becomes part of a path. */
  async #find(id: string): Promise<CgroupDirectory | null> {
    const known = this.#directories.get(id);
    if (known?.isSame() === true) return known;
    await this.list();
    return this.#directories.get(id) ?? null;
  }
}

function goneOf(id: string): Gone {
  return { kind: 'gone', reason: `no container ${JSON.stringify(id)} is listed, or another has its place` };
}

/** Null: removed since it was listed. */
function inodeOf(files: CgroupFiles, path: string): string | null {
  try {
    return files.inode(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENODEV') return null;
    throw error;
  }
}
