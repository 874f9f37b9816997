/** Starting, stopping and copying containers of a real Docker engine. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { memoryLabel, replicaLabel } from '../discovery.ts';
import { dockerRuntime } from './docker-bench.ts';
import { hierarchyHere, startEngine, type TestEngine } from './engine.ts';
import { observed } from './looking.ts';

const MiB = 1024 * 1024;
const hierarchy = await hierarchyHere();

describe('scaling on a real Docker engine', () => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = await startEngine();
  });
  afterAll(async () => await engine.close());

  it('starts, stops and restarts, and adds and removes replicas', async () => {
    const runtime = dockerRuntime(engine, hierarchy);
    const { scaling } = runtime;
    const container = await engine.run('web', {
      labels: { [memoryLabel]: '' },
      memoryBytes: 48 * MiB,
      swapBytes: 48 * MiB,
      steps: ['anon:4'],
    });
    const added = await scaling.addReplica('web', 'web-r2');
    expect(added.outcome, added.reason).toBe('done');
    const replica = await engine.docker.getContainer('web-r2').inspect();
    expect(replica.Config.Labels).toMatchObject({ [memoryLabel]: 'web-r2', [replicaLabel]: 'web' });
    expect(replica.HostConfig).toMatchObject({ Memory: 48 * MiB, MemorySwap: 48 * MiB, NetworkMode: 'none' });
    expect(replica.Args).toEqual(['anon:4']);
    expect(scaling.replicasOf('web').map(({ name }) => name)).toEqual(['web-r2']);
    expect((await observed(runtime, 'web-r2')).limitBytes).toBe(48 * MiB);
    expect((await scaling.addReplica('web-r2', 'web-r3')).outcome).toBe('refused');
    expect((await scaling.removeReplica('web', 1_000)).outcome).toBe('refused');
    expect((await scaling.removeReplica('web-r2', 2_000)).outcome).toBe('done');
    expect((await runtime.list()).map(({ id }) => id)).toEqual(['web']);
    const { incarnation } = (await observed(runtime, 'web')).container;
    expect((await scaling.restart('web', 2_000)).outcome).toBe('done');
    expect((await observed(runtime, 'web')).container.incarnation).not.toBe(incarnation);
    expect((await scaling.stop('web', 2_000)).outcome).toBe('done');
    expect(await runtime.list()).toEqual([]);
    expect((await scaling.start('web')).outcome).toBe('done');
    expect((await runtime.list()).map(({ id }) => id)).toEqual(['web']);
    expect((await scaling.start('nobody')).outcome).toBe('gone');
    expect((await engine.docker.getContainer(container.id).inspect()).State.Running).toBe(true);
  });
});
