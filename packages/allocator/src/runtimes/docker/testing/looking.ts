/** What tests on a real engine wait for and look at. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Observation, Runtime } from '../../runtime.ts';

const patienceMs = 10_000;
const MiB = 1024 * 1024;

export async function observed(runtime: Runtime, name: string): Promise<Observation> {
  const seen = await runtime.observe(name);
  if (seen.kind === 'gone') throw new Error(`${name} is gone: ${seen.reason}`);
  return seen;
}

export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + patienceMs;
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error(`not within ${patienceMs} ms: ${what}`);
    await sleep(5);
  }
}

/** Until the container holds that much anonymous memory. */
export async function grown(runtime: Runtime, name: string, mebibytes: number): Promise<void> {
  await until(`${name} holds ${mebibytes} MiB`, async () => {
    const { anonBytes } = await observed(runtime, name);
    return anonBytes !== null && anonBytes >= mebibytes * MiB;
  });
}
