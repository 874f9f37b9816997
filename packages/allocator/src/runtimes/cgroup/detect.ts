/** Which cgroup hierarchy has the memory controller, and why that one: v2, v1, or none. */
import { type Answer, CgroupDirectory, type CgroupFiles } from './files.ts';

export type Hierarchy =
  | { readonly version: 1 | 2; readonly root: string; readonly reason: string }
  | { readonly version: null; readonly reason: string };

interface Mount {
  readonly point: string;
  readonly type: string;
  readonly options: readonly string[];
}

/** `mountinfo`: the text of /proc/self/mountinfo. */
export async function detectHierarchy(files: CgroupFiles, mountinfo: string): Promise<Hierarchy> {
  const mounts = parseMounts(mountinfo);
  const v1 = mounts.find(({ type, options }) => type === 'cgroup' && options.includes('memory'));
  const v2 = mounts.find(({ type }) => type === 'cgroup2');
  if (v2 !== undefined) {
    const controllers = await readControllers(files, v2.point);
    if (controllers.ok && controllers.value.includes('memory')) {
      return { version: 2, root: v2.point, reason: `cgroup v2 at ${v2.point} has the memory controller` };
    }
    const without = controllers.ok
      ? `cgroup v2 at ${v2.point} has [${controllers.value.join(' ')}] and no memory controller`
      : `the controllers of cgroup v2 at ${v2.point} cannot be read: ${controllers.reason}`;
    if (v1 === undefined) return { version: null, reason: `${without}, and cgroup v1 has none mounted` };
    return {
      version: 1,
      root: v1.point,
      reason: `hybrid: ${without}; the memory controller of v1 is at ${v1.point}`,
    };
  }
  if (v1 !== undefined) {
    return { version: 1, root: v1.point, reason: `cgroup v1 has the memory controller at ${v1.point}` };
  }
  return { version: null, reason: 'no cgroup file system with a memory controller is mounted' };
}

async function readControllers(files: CgroupFiles, root: string): Promise<Answer<string[]>> {
  const directory = new CgroupDirectory(files, root, files.inode(root));
  const text = await directory.read('cgroup.controllers');
  return text.ok ? { ok: true, value: text.value.split(/\s+/).filter((word) => word !== '') } : text;
}

/** `id parent device root POINT options … - TYPE source SUPEROPTIONS`; a blank in a path is `\040`. */
function parseMounts(mountinfo: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of mountinfo.split('\n')) {
    const [left, right] = line.split(' - ');
    const point = left?.split(' ')[4];
    const [type, , options] = right?.split(' ') ?? [];
    if (point === undefined || type === undefined || options === undefined) continue;
    mounts.push({ point: unescapePath(point), type, options: options.split(',') });
  }
  return mounts;
}

function unescapePath(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
