/**
 * Runs the conformance suite and the kernel drills on the machine that it is started on, and prints TAP: the program
 * that the virtual machine of test/cgroup-v2 runs. Needs root and a cgroup v2 with the memory controller.
 */
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { detectHierarchy } from '../cgroup/detect.ts';
import { kernelFiles } from '../cgroup/files.ts';
import { realTiming } from './bench.ts';
import { conformance } from './conformance.ts';
import { kernelBench } from './kernel-bench.ts';
import { kernelDrills } from './kernel-drills.ts';

const caseDeadlineMs = 45_000;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

let count = 0;

async function attempt(name: string, run: () => Promise<void>): Promise<void> {
  count += 1;
  const startMs = realTiming.monotonic();
  const enough = new AbortController();
  const late = realTiming.sleep(caseDeadlineMs, enough.signal).then(
    () => {
      throw new Error(`not done within ${caseDeadlineMs} ms`);
    },
    // Taken back, because the case ended first.
    () => undefined,
  );
  try {
    await Promise.race([run(), late]);
    say(`ok ${count} - ${name}`);
  } catch (error) {
    say(`not ok ${count} - ${name}`);
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    for (const line of text.split('\n')) say(`# ${line}`);
  }
  enough.abort();
  say(`# ${(realTiming.monotonic() - startMs).toFixed(0)} ms`);
}

const hierarchy = await detectHierarchy(kernelFiles, readFileSync('/proc/self/mountinfo', 'utf8'));
say(`# Linux ${release()}, Node ${process.version}, ${hierarchy.reason}`);
if (hierarchy.version !== 2) throw new Error(`cgroup v2 is needed: ${hierarchy.reason}`);
const bench = kernelBench(2, hierarchy.root);
for (const { name, needs, run } of conformance) {
  const reason = needs === undefined ? undefined : bench.cannot[needs];
  if (reason === undefined) await attempt(name, async () => await run(bench));
  else say(`ok ${++count} - ${name} # SKIP ${reason}`);
}
for (const { name, run } of kernelDrills) {
  await attempt(name, async () => await run(bench, (figure) => say(`# ${figure}`)));
}
await attempt('leaves no cgroup behind', async () => await bench.close());
say(`1..${count}`);
