/**
 * The only code here that touches the cgroup file systems. File names are a closed list, and a directory comes from the
 * kernel's own listing: no path is made from a name that somebody sent.
 */
import { constants, readFileSync, statSync, watch } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

export type CgroupFile =
  | 'cgroup.controllers'
  | 'cgroup.procs'
  | 'cgroup.subtree_control'
  | `memory.${V2File | V1File}`;

type V2File =
  | 'min'
  | 'low'
  | 'high'
  | 'max'
  | 'reclaim'
  | 'pressure'
  | 'events'
  | 'stat'
  | 'current'
  | 'swap.current'
  | 'swap.max'
  | 'oom.group';

type V1File =
  | 'limit_in_bytes'
  | 'memsw.limit_in_bytes'
  | 'soft_limit_in_bytes'
  | 'usage_in_bytes'
  | 'memsw.usage_in_bytes'
  | 'stat'
  | 'oom_control'
  | 'force_empty'
  | 'failcnt';

/** Everything throws the error of the system call. Tests put a model of the kernel's answers in its place. */
export interface CgroupFiles {
  read(directory: string, file: CgroupFile): Promise<string>;
  /** For files that answer in microseconds and are read many times a second. */
  readNow(directory: string, file: CgroupFile): string;
  write(directory: string, file: CgroupFile, text: string): Promise<void>;
  /** Names of the cgroups in a cgroup. */
  children(directory: string): Promise<readonly string[]>;
  /** The kernel gives each cgroup another number, also when a name comes again. */
  inode(directory: string): string;
  /** `file` null: the directory itself. Throws where the kernel does not notify. */
  notify(directory: string, file: CgroupFile | null, onChange: () => void): () => void;
}

export const kernelFiles: CgroupFiles = {
  // On this thread: the kernel makes the text up in microseconds, a trip through the thread pool costs ten times that.
  read: async (directory, file) => readFileSync(join(directory, file), 'utf8'),
  readNow: (directory, file) => readFileSync(join(directory, file), 'utf8'),
  async write(directory, file, text) {
    // O_NONBLOCK: kernels from 6.16 on then set memory.max and memory.high without reclaiming or killing for them;
    // older ones ignore it. O_TRUNC means nothing to the kernel's files and makes plain ones behave like them.
    const handle = await open(
      join(directory, file),
      constants.O_WRONLY | constants.O_NONBLOCK | constants.O_TRUNC,
    );
    try {
      await handle.write(text);
    } finally {
      await handle.close();
    }
  },
  async children(directory) {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  },
  inode: (directory) => String(statSync(directory, { bigint: true }).ino),
  notify(directory, file, onChange) {
    const watcher = watch(file === null ? directory : join(directory, file), () => onChange());
    // The watched cgroup went away; the listing says so.
    watcher.on('error', () => onChange());
    return () => watcher.close();
  },
};

/**
 * What a file system call came to. absent: this kernel has no such file, though the cgroup is there. denied: no
 * permission. busy: EBUSY. short: EAGAIN, not enough could be reclaimed. invalid: EINVAL and its like. failed: any other
 * error of the system, by its name.
 */
export type Refusal = 'gone' | 'absent' | 'denied' | 'busy' | 'short' | 'invalid' | 'off' | 'failed';

export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly refusal: Refusal; readonly reason: string };

const refusalOf: Readonly<Record<string, Refusal>> = {
  ENOENT: 'absent',
  ENODEV: 'gone',
  EACCES: 'denied',
  EPERM: 'denied',
  EROFS: 'denied',
  EBUSY: 'busy',
  EAGAIN: 'short',
  EINVAL: 'invalid',
  ERANGE: 'invalid',
  EOPNOTSUPP: 'off',
  ENOTSUP: 'off',
};

/** One cgroup, this very one: after its removal every call answers `gone`, also when another has its name. */
export class CgroupDirectory {
  readonly path: string;
  readonly incarnation: string;
  readonly #files: CgroupFiles;

  constructor(files: CgroupFiles, path: string, incarnation: string) {
    this.#files = files;
    this.path = path;
    this.incarnation = incarnation;
  }

  async read(file: CgroupFile): Promise<Answer<string>> {
    return await this.#attempt(file, async () => await this.#files.read(this.path, file));
  }

  /** The identity is checked right before the write: a limit never lands on a cgroup that took over the name. */
  async write(file: CgroupFile, text: string): Promise<Answer<void>> {
    if (!this.isSame()) return this.#gone();
    return await this.#attempt(file, async () => await this.#files.write(this.path, file, text));
  }

  readNow(file: CgroupFile): Answer<string> {
    try {
      return { ok: true, value: this.#files.readNow(this.path, file) };
    } catch (error) {
      return this.#refused(file, error);
    }
  }

  isSame(): boolean {
    try {
      return this.#files.inode(this.path) === this.incarnation;
    } catch (error) {
      if (['ENOENT', 'ENODEV'].includes(codeOf(error) ?? '')) return false;
      throw error;
    }
  }

  notify(file: CgroupFile, onChange: () => void): Answer<() => void> {
    try {
      return { ok: true, value: this.#files.notify(this.path, file, onChange) };
    } catch (error) {
      return this.#refused(file, error);
    }
  }

  async #attempt<T>(file: CgroupFile, call: () => Promise<T>): Promise<Answer<T>> {
    try {
      return { ok: true, value: await call() };
    } catch (error) {
      return this.#refused(file, error);
    }
  }

  #refused<T>(file: CgroupFile, error: unknown): Answer<T> {
    const code = codeOf(error);
    if (code === null) throw error;
    const refusal = refusalOf[code] ?? 'failed';
    // ENOENT: no such file, or no cgroup any more?
    if (refusal === 'gone' || (refusal === 'absent' && !this.isSame())) return this.#gone();
    return { ok: false, refusal, reason: `${file}: ${reasons[refusal]} (${code})` };
  }

  #gone<T>(): Answer<T> {
    return { ok: false, refusal: 'gone', reason: `${this.path} is no longer the cgroup that it was` };
  }
}

const reasons: Readonly<Record<Exclude<Refusal, 'gone'>, string>> = {
  absent: 'this kernel or this cgroup has no such file',
  denied: 'not permitted to this process',
  busy: 'the kernel found the memory in use',
  short: 'the kernel could not reclaim that much',
  invalid: 'the kernel did not accept the value',
  off: 'switched off in this kernel',
  failed: 'the system call failed',
};

function codeOf(error: unknown): string | null {
  return error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? null) : null;
}
