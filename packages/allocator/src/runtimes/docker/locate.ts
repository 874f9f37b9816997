/**
 * The cgroup of a container. The kernel says it best (/proc/PID/cgroup, whatever the driver and the parent); where the
 * agent cannot see the process, the path follows from the driver. It counts only if it names the container's id.
 */
import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import type { Hierarchy } from '../cgroup/detect.ts';
import { CgroupDirectory, type CgroupFiles } from '../cgroup/files.ts';
import type { EngineInfo, InspectedContainer } from './api.ts';

export type Located =
  | { readonly ok: true; readonly directory: CgroupDirectory }
  | { readonly ok: false; readonly reason: string };

export interface LocateContext {
  readonly files: CgroupFiles;
  readonly hierarchy: Hierarchy;
  readonly engine: EngineInfo;
  /** The text of /proc/PID/cgroup; throws when there is none. */
  readonly readMembership: (pid: number) => Promise<string>;
}

export const readProcMembership = (pid: number): Promise<string> => readFile(`/proc/${pid}/cgroup`, 'utf8');

export async function locate(container: InspectedContainer, context: LocateContext): Promise<Located> {
  const { files, hierarchy, engine, readMembership } = context;
  const { Id: id, HostConfig, State } = container;
  if (hierarchy.version === null) return { ok: false, reason: hierarchy.reason };
  const candidates: string[] = [];
  try {
    const membership = await readMembership(State.Pid);
    const found = memberPath(membership, hierarchy.version, id);
    if (found !== null) candidates.push(found);
  } catch (error) {
    // Ended already, or in a namespace that this process does not see.
    if (!isFileError(error)) throw error;
  }
  const derived = derivedPath(id, engine.CgroupDriver, HostConfig.CgroupParent);
  if (derived !== null) candidates.push(derived);
  for (const candidate of candidates) {
    const path = posix.join(hierarchy.root, candidate);
    try {
      return { ok: true, directory: new CgroupDirectory(files, path, files.inode(path)) };
    } catch (error) {
      if (!isFileError(error)) throw error;
    }
  }
  const tried = candidates.length === 0 ? 'no path is known' : `tried ${candidates.join(' and ')}`;
  return { ok: false, reason: `the cgroup was not found under ${hierarchy.root} (${tried})` };
}

/** Pure. Up to the part that names the id: what runs inside may have made cgroups of its own below. */
export function memberPath(membership: string, version: 1 | 2, id: string): string | null {
  for (const line of membership.split('\n')) {
    const [, controllers, ...rest] = line.split(':');
    const isMemory = version === 2 ? controllers === '' : controllers?.split(',').includes('memory') === true;
    if (!isMemory) continue;
    const parts = rest.join(':').split('/');
    const at = parts.findIndex((part) => part.includes(id));
    // Without the id, the process is another one: numbers are used again, and mean nothing across namespaces.
    if (at < 0 || parts.includes('..')) return null;
    return parts.slice(0, at + 1).join('/');
  }
  return null;
}

/** Pure. Where the engine's driver puts a container. */
export function derivedPath(id: string, driver: string, parent: string): string | null {
  if (!/^[\w./:@\\-]*$/.test(parent) || parent.split('/').includes('..')) return null;
  if (driver === 'cgroupfs') return posix.join('/', parent === '' ? 'docker' : parent, id);
  if (driver !== 'systemd') return null;
  const slice = parent === '' ? 'system.slice' : parent;
  return slice.endsWith('.slice') ? posix.join('/', ...slicePath(slice), `docker-${id}.scope`) : null;
}

/** systemd nests by name: `a-b.slice` is in `a.slice`. */
function slicePath(slice: string): string[] {
  const words = slice.slice(0, -'.slice'.length).split('-');
  return words.map((_, index) => `${words.slice(0, index + 1).join('-')}.slice`);
}

function isFileError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && 'syscall' in error;
}
