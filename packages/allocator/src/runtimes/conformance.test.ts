import { readFileSync } from 'node:fs';
import { afterAll, describe, it } from 'vitest';
import { detectHierarchy } from './cgroup/detect.ts';
import { kernelFiles } from './cgroup/files.ts';
import type { Bench } from './testing/bench.ts';
import { conformance } from './testing/conformance.ts';
import { fixtureBench } from './testing/fixture-bench.ts';
import { kernelBench, whyNotWritable } from './testing/kernel-bench.ts';
import { processBench } from './testing/process-bench.ts';

function runConformance(bench: Bench): void {
  describe(`container runtime: ${bench.name}`, () => {
    afterAll(async () => await bench.close());
    for (const { name, needs, run } of conformance) {
      const reason = needs === undefined ? undefined : bench.cannot[needs];
      if (reason === undefined) it(name, async () => await run(bench));
      else it.skip(`${name} (skipped: ${reason})`, () => undefined);
    }
  });
}

runConformance(fixtureBench(2));
runConformance(fixtureBench(1));
runConformance(processBench());

const kernel =
  process.platform === 'linux'
    ? await detectHierarchy(kernelFiles, readFileSync('/proc/self/mountinfo', 'utf8'))
    : { version: null, reason: `there are no cgroups on ${process.platform}` };
const whyNot = kernel.version === null ? kernel.reason : whyNotWritable(kernel.root);
if (kernel.version !== null && whyNot === null) runConformance(kernelBench(kernel.version, kernel.root));
else {
  describe('container runtime: kernel of this machine', () => {
    it.skip(`cannot be tried (skipped: ${whyNot})`, () => undefined);
  });
}
