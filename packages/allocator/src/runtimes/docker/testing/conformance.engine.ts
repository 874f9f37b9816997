/** The promises of every container runtime, on a real Docker engine; `npm run test:docker` starts it. */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { conformance } from '../../testing/conformance.ts';
import { cannotOf, dockerBench } from './docker-bench.ts';
import { hierarchyHere, startEngine, type TestEngine } from './engine.ts';

const hierarchy = await hierarchyHere();
const cannot = cannotOf(hierarchy);

describe(`container runtime: docker on cgroup v${hierarchy.version}`, () => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = await startEngine();
  });
  afterAll(async () => await engine.close());
  for (const { name, needs, run } of conformance) {
    const reason = needs === undefined ? undefined : cannot[needs];
    if (reason === undefined) it(name, async () => await run(dockerBench(engine, hierarchy)));
    else it.skip(`${name} (skipped: ${reason})`, () => undefined);
  }
});
