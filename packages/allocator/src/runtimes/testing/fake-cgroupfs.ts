/**
 * A memory controller as plain files in a temporary directory, with a model of the kernel's answers in front of them:
 * page rounding, EBUSY and memsw order of v1, EAGAIN of memory.reclaim, and that a v2 memory.max below usage kills.
 * It cannot model time, throttling, pressure, LRU order, dirty pages, swap, nesting, or races inside the kernel.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CgroupFile, type CgroupFiles, kernelFiles } from '../cgroup/files.ts';
import { parseLimit } from '../cgroup/parse.ts';

const pageBytes = 4096;
const unlimitedV1 = '9223372036854771712';

/** What a container holds; its files are derived from it. */
interface Memory {
  anonBytes: number;
  cacheBytes: number;
  oomKills: number;
  highEvents: number;
}

export class FakeCgroupFs implements CgroupFiles {
  readonly #root: string;
  readonly #version: 1 | 2;
  readonly #memory = new Map<string, Memory>();
  readonly #faults: { file: CgroupFile; code: string; on: 'read' | 'write' }[] = [];
  readonly #hooks: { file: CgroupFile; when: 'before' | 'after'; run: () => void | Promise<void> }[] = [];
  readonly writes: { file: CgroupFile; text: string }[] = [];
  #incarnations = 0;
  readonly #inodes = new Map<string, string>();

  constructor(root: string, version: 1 | 2) {
    this.#root = root;
    this.#version = version;
  }

  directoryOf(name: string): string {
    return join(this.#root, name);
  }

  add(name: string): string {
    const directory = this.directoryOf(name);
    mkdirSync(directory);
    this.#memory.set(directory, { anonBytes: 0, cacheBytes: 0, oomKills: 0, highEvents: 0 });
    this.#inodes.set(directory, String(++this.#incarnations));
    for (const [file, text] of this.#version === 2 ? filesV2 : filesV1) this.#put(directory, file, text);
    this.#derive(directory);
    return directory;
  }

  remove(directory: string): void {
    rmSync(directory, { recursive: true });
    this.#memory.delete(directory);
    this.#inodes.delete(directory);
  }

  grow(directory: string, by: { anonBytes?: number; cacheBytes?: number }): void {
    const memory = this.#of(directory);
    memory.anonBytes += by.anonBytes ?? 0;
    memory.cacheBytes += by.cacheBytes ?? 0;
    this.#derive(directory);
  }

  isAlive(directory: string): boolean {
    return this.#memory.get(directory)?.oomKills === 0;
  }

  /** The next read or write of this file ends with this error. */
  failNext(on: 'read' | 'write', file: CgroupFile, code: string): void {
    this.#faults.push({ on, file, code });
  }

  /** Runs once, right before the next write of this file reaches the kernel, or right after. */
  onWrite(when: 'before' | 'after', file: CgroupFile, run: () => void | Promise<void>): void {
    this.#hooks.push({ file, when, run });
  }

  async read(directory: string, file: CgroupFile): Promise<string> {
    return this.readNow(directory, file);
  }

  readNow(directory: string, file: CgroupFile): string {
    this.#fail('read', file);
    return readFileSync(join(directory, file), 'utf8');
  }

  async write(directory: string, file: CgroupFile, text: string): Promise<void> {
    await this.#step('before', file);
    this.#fail('write', file);
    if (!this.#memory.has(directory)) throw systemError('ENODEV');
    // A file that this version does not have.
    readFileSync(join(directory, file), 'utf8');
    this.writes.push({ file, text });
    if (this.#version === 2) this.#writeV2(directory, file, text);
    else this.#writeV1(directory, file, text);
    if (this.#memory.has(directory)) this.#derive(directory);
    await this.#step('after', file);
  }

  children = kernelFiles.children;
  notify = kernelFiles.notify;

  inode(directory: string): string {
    return this.#inodes.get(directory) ?? kernelFiles.inode(directory);
  }

  #writeV2(directory: string, file: CgroupFile, text: string): void {
    const memory = this.#of(directory);
    if (file === 'memory.reclaim') {
      const asked = bytesOf(text);
      const given = Math.min(asked, memory.cacheBytes);
      memory.cacheBytes -= given;
      this.#derive(directory);
      if (given < asked) throw systemError('EAGAIN');
      return;
    }
    this.#put(directory, file, text === 'max' ? 'max' : String(floorToPage(bytesOf(text))));
    if (text === 'max' || (file !== 'memory.max' && file !== 'memory.high')) return;
    const excess = memory.anonBytes + memory.cacheBytes - floorToPage(bytesOf(text));
    if (excess <= 0) return;
    memory.cacheBytes -= Math.min(excess, memory.cacheBytes);
    if (file === 'memory.high') memory.highEvents += 1;
    else if (memory.anonBytes > bytesOf(text)) {
      memory.oomKills += 1;
      memory.anonBytes = 0;
    }
  }

  #writeV1(directory: string, file: CgroupFile, text: string): void {
    const memory = this.#of(directory);
    if (file === 'memory.force_empty') {
      memory.cacheBytes = 0;
      return;
    }
    const limit = text === '-1' ? Number(unlimitedV1) : floorToPage(bytesOf(text));
    const other = (name: CgroupFile): number => Number(readFileSync(join(directory, name), 'utf8'));
    if (file === 'memory.limit_in_bytes') {
      if (limit > other('memory.memsw.limit_in_bytes')) throw systemError('EINVAL');
      const excess = memory.anonBytes + memory.cacheBytes - limit;
      if (excess > 0) memory.cacheBytes -= Math.min(excess, memory.cacheBytes);
      this.#derive(directory);
      if (memory.anonBytes > limit) throw systemError('EBUSY');
    }
    if (file === 'memory.memsw.limit_in_bytes' && limit < other('memory.limit_in_bytes')) {
      throw systemError('EINVAL');
    }
    this.#put(directory, file, text === '-1' ? unlimitedV1 : String(limit));
  }

  #derive(directory: string): void {
    const { anonBytes, cacheBytes, oomKills, highEvents } = this.#of(directory);
    const usage = String(anonBytes + cacheBytes);
    if (this.#version === 2) {
      this.#put(directory, 'memory.current', usage);
      this.#put(
        directory,
        'memory.stat',
        `anon ${anonBytes}\nfile ${cacheBytes}\nshmem 0\ninactive_file ${cacheBytes}\nactive_file 0\nslab_reclaimable 0`,
      );
      this.#put(directory, 'memory.events', `low 0\nhigh ${highEvents}\nmax 0\noom 0\noom_kill ${oomKills}`);
    } else {
      this.#put(directory, 'memory.usage_in_bytes', usage);
      this.#put(
        directory,
        'memory.stat',
        `total_cache ${cacheBytes}\ntotal_rss ${anonBytes}\ntotal_shmem 0\ntotal_swap 0\n` +
          `total_inactive_file ${cacheBytes}\ntotal_active_file 0`,
      );
    }
  }

  #put(directory: string, file: CgroupFile, text: string): void {
    writeFileSync(join(directory, file), `${text}\n`);
  }

  #of(directory: string): Memory {
    const memory = this.#memory.get(directory);
    if (memory === undefined) throw systemError('ENODEV');
    return memory;
  }

  async #step(when: 'before' | 'after', file: CgroupFile): Promise<void> {
    const at = this.#hooks.findIndex((hook) => hook.when === when && hook.file === file);
    if (at >= 0) await this.#hooks.splice(at, 1)[0]?.run();
  }

  #fail(on: 'read' | 'write', file: CgroupFile): void {
    const at = this.#faults.findIndex((fault) => fault.on === on && fault.file === file);
    if (at >= 0) throw systemError(this.#faults.splice(at, 1)[0]?.code ?? '');
  }
}

const filesV2: readonly [CgroupFile, string][] = [
  ['memory.max', 'max'],
  ['memory.high', 'max'],
  ['memory.low', '0'],
  ['memory.min', '0'],
  ['memory.swap.current', '0'],
  ['memory.swap.max', 'max'],
  ['memory.oom.group', '0'],
  ['memory.reclaim', ''],
  [
    'memory.pressure',
    'some avg10=0.00 avg60=0.00 avg300=0.00 total=7\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=5',
  ],
];

const filesV1: readonly [CgroupFile, string][] = [
  ['memory.limit_in_bytes', unlimitedV1],
  ['memory.memsw.limit_in_bytes', unlimitedV1],
  ['memory.soft_limit_in_bytes', unlimitedV1],
  ['memory.oom_control', 'oom_kill_disable 0\nunder_oom 0\noom_kill 0'],
  ['memory.failcnt', '0'],
  ['memory.force_empty', ''],
];

function bytesOf(text: string): number {
  const limit = parseLimit(text);
  if (typeof limit !== 'number') throw systemError('EINVAL');
  return limit;
}

function floorToPage(bytes: number): number {
  return bytes - (bytes % pageBytes);
}

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: said by the model of the kernel`), { code });
}
