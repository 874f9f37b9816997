/**
 * Containers that are plain processes, as in the demo: they are observed, and no kernel limit binds them. Their budget
 * is held by their leases alone, and every answer says so.
 */
import { readFileSync, statSync } from 'node:fs';
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

export interface ProcessRuntimeOptions {
  /** The processes of each container, as the agent knows them from its socket. */
  readonly processes: () => ReadonlyMap<string, readonly number[]>;
  readonly timing: Timing;
  readonly pollMs: number;
  /** Where processes are described; `/proc` on Linux, null on systems without it. */
  readonly proc: string | null;
}

const noLimit = 'a plain process has no kernel limit; its budget is held by its leases alone';
const noCgroup = 'a plain process has no cgroup of its own';

interface Resident {
  readonly anonBytes: number;
  readonly fileBytes: number;
  readonly shmemBytes: number;
  readonly swapBytes: number;
}

export class ProcessRuntime implements Runtime {
  readonly name = 'process';
  readonly #options: ProcessRuntimeOptions;

  constructor(options: ProcessRuntimeOptions) {
    this.#options = options;
  }

  async list(): Promise<readonly ContainerRef[]> {
    return [...this.#options.processes()].flatMap(([id, pids]) => {
      const alive = this.#alive(pids);
      return alive.length === 0 ? [] : [{ id, incarnation: incarnationOf(alive) }];
    });
  }

  watch(onChange: (change: ContainerChange) => void, { onError }: WatchOptions): RuntimeWatch {
    const { timing, pollMs } = this.#options;
    const ended = new AbortController();
    const known = new Map<string, ContainerRef>();
    const look = async (): Promise<void> => {
      const present = new Map((await this.list()).map((container) => [container.id, container]));
      for (const [id, container] of known) {
        if (present.get(id)?.incarnation === container.incarnation) continue;
        known.delete(id);
        onChange({ kind: 'vanished', container });
      }
      for (const [id, container] of present) {
        if (!known.has(id)) onChange({ kind: 'appeared', container });
        known.set(id, container);
      }
    };
    const run = async (): Promise<void> => {
      while (!ended.signal.aborted) {
        await look().catch(onError);
        try {
          await timing.sleep(pollMs, ended.signal);
        } catch (error) {
          // A sleep that was taken back is the end.
          if (!ended.signal.aborted) throw error;
        }
      }
    };
    const running = run();
    return {
      source: `a look every ${pollMs} ms: processes do not notify`,
      async stop() {
        ended.abort();
        await running;
      },
    };
  }

  async observe(id: string): Promise<Observation | Gone> {
    const pids = this.#alive(this.#options.processes().get(id) ?? []);
    if (pids.length === 0) return goneOf(id);
    const resident = this.#residentOf(pids);
    if (resident === 'gone') return goneOf(id);
    const noProc = resident === null ? 'this system has no /proc to read resident memory from' : null;
    const missing: Record<string, string> = {
      limitBytes: noLimit,
      swapLimitBytes: noLimit,
      oomKills: noCgroup,
      highEvents: noCgroup,
      maxEvents: noCgroup,
      psi: noCgroup,
    };
    for (const field of ['minBytes', 'lowBytes', 'highBytes', 'softLimitBytes', 'oomGroup']) {
      missing[`protections.${field}`] = noCgroup;
    }
    if (noProc !== null) {
      for (const field of ['usage', 'workingSet', 'anon', 'file', 'shmem', 'swap']) {
        missing[`${field}Bytes`] = noProc;
      }
    }
    const needed = resident === null ? null : resident.anonBytes + resident.shmemBytes;
    return {
      kind: 'observation',
      container: { id, incarnation: incarnationOf(pids) },
      // Pages that several of its processes map are counted in each of them: never too little.
      usageBytes: resident === null || needed === null ? null : needed + resident.fileBytes,
      workingSetBytes: needed,
      anonBytes: resident?.anonBytes ?? null,
      fileBytes: resident?.fileBytes ?? null,
      shmemBytes: resident?.shmemBytes ?? null,
      swapBytes: resident?.swapBytes ?? null,
      limitBytes: null,
      swapLimitBytes: null,
      protections: { minBytes: null, lowBytes: null, highBytes: null, softLimitBytes: null, oomGroup: null },
      oomKills: null,
      highEvents: null,
      maxEvents: null,
      psi: null,
      missing,
    };
  }

  pressure(id: string): Pressure {
    const isThere = this.#alive(this.#options.processes().get(id) ?? []).length > 0;
    return isThere ? { kind: 'missing', reason: noCgroup } : goneOf(id);
  }

  async limit(id: string, _request: LimitRequest, _guard: LimitGuard): Promise<LimitResult> {
    const pressure = this.pressure(id);
    const isGone = pressure.kind === 'gone';
    return {
      outcome: isGone ? 'gone' : 'unsupported',
      readBackBytes: null,
      reason: isGone ? pressure.reason : noLimit,
      skipped: {},
    };
  }

  async reclaim(id: string, _bytes: number, _deadlineMs: number): Promise<ReclaimResult> {
    const pressure = this.pressure(id);
    const isGone = pressure.kind === 'gone';
    return {
      outcome: isGone ? 'gone' : 'unsupported',
      reclaimedBytes: null,
      reason: isGone
        ? pressure.reason
        : 'the kernel reclaims from cgroups only; ask the container to give back',
    };
  }

  #alive(pids: readonly number[]): readonly number[] {
    const { proc } = this.#options;
    return pids.filter((pid) =>
      proc === null
        ? signalReaches(pid)
        : statSync(`${proc}/${pid}`, { throwIfNoEntry: false }) !== undefined,
    );
  }

  /** Null: nothing to read from. */
  #residentOf(pids: readonly number[]): Resident | 'gone' | null {
    const { proc } = this.#options;
    if (proc === null) return null;
    const sum = { anonBytes: 0, fileBytes: 0, shmemBytes: 0, swapBytes: 0 };
    let read = 0;
    for (const pid of pids) {
      const one = parseResident(readStatus(`${proc}/${pid}/status`));
      if (one === null) continue;
      read += 1;
      sum.anonBytes += one.anonBytes;
      sum.fileBytes += one.fileBytes;
      sum.shmemBytes += one.shmemBytes;
      sum.swapBytes += one.swapBytes;
    }
    return read === 0 ? 'gone' : sum;
  }
}

/** Null: a process that has ended, also one that nobody waited for yet: it has no memory. */
export function parseResident(status: string): Resident | null {
  const kilobytes = (name: string): number | null => {
    const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
    return found === undefined ? null : Number(found) * 1024;
  };
  const [anonBytes, fileBytes, shmemBytes, swapBytes] = ['RssAnon', 'RssFile', 'RssShmem', 'VmSwap'].map(
    kilobytes,
  );
  if (anonBytes == null || fileBytes == null || shmemBytes == null || swapBytes == null) return null;
  return { anonBytes, fileBytes, shmemBytes, swapBytes };
}

function readStatus(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    // ESRCH: it ended between open and read.
    if (code === 'ENOENT' || code === 'ESRCH') return '';
    throw error;
  }
}

function signalReaches(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The first of its processes: others come and go. */
function incarnationOf(pids: readonly number[]): string {
  return String(Math.min(...pids));
}

function goneOf(id: string): Gone {
  return { kind: 'gone', reason: `no process of ${JSON.stringify(id)} is running` };
}
