import { describe, expect, it } from 'vitest';
import { detectHierarchy } from './detect.ts';
import { type CgroupFiles, kernelFiles } from './files.ts';

const v1 = '30 24 0:26 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory';
const cpu = '31 24 0:27 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu';
const unified = '32 24 0:28 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw';
const v2 = '33 24 0:29 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate';
const other = '34 24 0:30 / /var/lib/my\\040disk rw - ext4 /dev/vda rw';

function filesWith(controllers: string | Error): CgroupFiles {
  return {
    ...kernelFiles,
    inode: () => '1',
    async read() {
      if (controllers instanceof Error) throw controllers;
      return controllers;
    },
  };
}

describe('detecting the hierarchy', () => {
  it.each([
    ['v2', [other, v2], 'cpuset cpu io memory pids\n', 2, '/sys/fs/cgroup', /has the memory controller/],
    ['v1', [v1, cpu], '', 1, '/sys/fs/cgroup/memory', /cgroup v1/],
    ['hybrid', [v1, unified], 'hugetlb\n', 1, '/sys/fs/cgroup/memory', /hybrid: .*\[hugetlb\] and no memory/],
  ])('%s', async (_, mounts, controllers, version, root, reason) => {
    expect(await detectHierarchy(filesWith(controllers), mounts.join('\n'))).toEqual({
      version,
      root,
      reason: expect.stringMatching(reason),
    });
  });

  it.each([
    ['nothing', [other], '', /no cgroup file system/],
    [
      'v2 without the controller',
      [v2],
      'cpu io\n',
      /\[cpu io\] and no memory controller, and cgroup v1 has none/,
    ],
    ['only other controllers of v1', [cpu], '', /no cgroup file system with a memory controller/],
  ])('%s: none, with the reason', async (_, mounts, controllers, reason) => {
    const found = await detectHierarchy(filesWith(controllers), mounts.join('\n'));
    expect(found).toEqual({ version: null, reason: expect.stringMatching(reason) });
  });

  it('says when it may not look', async () => {
    const denied = Object.assign(new Error('no'), { code: 'EACCES' });
    const found = await detectHierarchy(filesWith(denied), v2);
    expect(found).toEqual({ version: null, reason: expect.stringMatching(/cannot be read: .*EACCES/) });
  });
});
