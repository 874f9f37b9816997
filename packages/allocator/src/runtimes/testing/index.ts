/** For tests of other packages: containers of the real kernel, and processes in them that eat memory. */
import { readFileSync } from 'node:fs';
import { detectHierarchy } from '../cgroup/detect.ts';
import { kernelFiles } from '../cgroup/files.ts';
import { whyNotWritable } from './kernel-bench.ts';

export { type KernelBench, type KernelContainer, kernelBench } from './kernel-bench.ts';

/** Where cgroups can be made on this machine, or why they cannot. */
export async function findKernel(): Promise<
  { readonly version: 1 | 2; readonly root: string } | { readonly version: null; readonly reason: string }
> {
  if (process.platform !== 'linux') return { version: null, reason: `no cgroups on ${process.platform}` };
  const hierarchy = await detectHierarchy(kernelFiles, readFileSync('/proc/self/mountinfo', 'utf8'));
  if (hierarchy.version === null) return hierarchy;
  const reason = whyNotWritable(hierarchy.root);
  return reason === null ? hierarchy : { version: null, reason };
}
