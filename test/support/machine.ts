/** A host whose containers are real cgroups of this machine's kernel, with processes in them that eat memory. */
import { findKernel, type KernelBench, kernelBench } from '@nautilus/allocator/testing';
import { type Notice, notices } from '@nautilus/contracts';
import { type Host, startHost } from './host.ts';

export const kernel = await findKernel();
/** For the title of a suite that is skipped without cgroups. */
export const whySkipped = kernel.version === null ? ` (skipped: ${kernel.reason})` : '';

export interface Machine extends AsyncDisposable {
  readonly host: Host;
  readonly bench: KernelBench;
  /** Facts of the agent so far, oldest first. */
  readonly heard: { readonly topic: string; readonly body: Record<string, unknown>; readonly atMs: number }[];
}

export type Sections = Record<string, Record<string, unknown>>;

export async function startMachine(sections: Sections = {}): Promise<Machine> {
  if (kernel.version === null) throw new Error(kernel.reason);
  const bench = kernelBench(kernel.version, kernel.root);
  const runtime = { kind: 'cgroup', cgroup_root: bench.parent, ...sections['runtime'] };
  const host = await startHost({ ...sections, runtime });
  const heard: Machine['heard'] = [];
  for (const notice of Object.values(notices) as Notice[]) {
    if (notice.class !== 'evt') continue;
    await host.bus.subscribe(notice, {}, (body) => {
      heard.push({ topic: notice.topic, body: body as Record<string, unknown>, atMs: performance.now() });
    });
  }
  await host.bus.flush();
  return {
    host,
    bench,
    heard,
    async [Symbol.asyncDispose]() {
      await bench.close();
      await host[Symbol.asyncDispose]();
    },
  };
}
