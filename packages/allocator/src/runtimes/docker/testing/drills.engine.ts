/** What goes wrong between the agent, a real Docker engine and a real kernel; the numbers are those of the drills. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type CgroupFiles, kernelFiles } from '../../cgroup/files.ts';
import type { ContainerChange, LimitGuard } from '../../runtime.ts';
import { memoryLabel } from '../discovery.ts';
import { dockerRuntime } from './docker-bench.ts';
import {
  type ContainerWish,
  hierarchyHere,
  type StartedContainer,
  startEngine,
  type TestEngine,
} from './engine.ts';
import { grown, observed, until } from './looking.ts';

const MiB = 1024 * 1024;
const guard: LimitGuard = { usageMarginBytes: 4 * MiB, deadlineMs: 5_000 };
const limitFile = { v1: 'memory.limit_in_bytes', v2: 'memory.max' };
const hierarchy = await hierarchyHere();
const quick = { readMs: 400, lifecycleMs: 5_000 };

describe(`a real Docker engine on cgroup v${hierarchy.version}`, () => {
  let engine: TestEngine;
  const containers: StartedContainer[] = [];
  beforeAll(async () => {
    engine = await startEngine();
  });
  afterEach(async () => {
    await engine.restore();
    for (const container of containers.splice(0)) await container.remove().catch(ignoreMissing);
  });
  afterAll(async () => await engine.close());

  async function run(name: string, wish: ContainerWish = {}): Promise<StartedContainer> {
    const container = await engine.run(name, { labels: { [memoryLabel]: '' }, ...wish });
    containers.push(container);
    return container;
  }

  const kernelLimit = ({ id }: StartedContainer) => Number(engine.kernelFile(id, limitFile));

  it('finds by label, by name in the configuration, and leaves others alone', async () => {
    await run('labelled', { labels: { [memoryLabel]: 'trading-engine' } });
    await run('configured', { labels: {} });
    await run('foreign', { labels: {} });
    await run('Bad_Name');
    const runtime = dockerRuntime(engine, hierarchy, { configuredNames: new Set(['configured']) });
    expect((await runtime.list()).map(({ id }) => id).sort()).toEqual(['configured', 'trading-engine']);
    expect(runtime.inventory.rejected.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/"Bad_Name" is no name for a subject: label the container/),
    ]);
  });

  it('lowers and raises memory, swap and reservation together', async () => {
    const runtime = dockerRuntime(engine, hierarchy);
    const container = await run('both', { memoryBytes: 64 * MiB, swapBytes: 96 * MiB });
    for (const [limit, low] of [
      [48, 8],
      [128, 32],
      [40, 40],
    ] as const) {
      const result = await runtime.limit('both', { limitBytes: limit * MiB, lowBytes: low * MiB }, guard);
      expect(result).toMatchObject({ outcome: 'applied', readBackBytes: limit * MiB, skipped: {} });
      expect(kernelLimit(container)).toBe(limit * MiB);
      const { HostConfig } = await engine.docker.getContainer(container.id).inspect();
      expect(HostConfig).toMatchObject({
        Memory: limit * MiB,
        MemorySwap: (limit + 32) * MiB,
        MemoryReservation: low * MiB,
      });
      const seen = await observed(runtime, 'both');
      expect(seen.limitBytes).toBe(limit * MiB);
      if (hierarchy.version === 1) expect(seen.protections.softLimitBytes).toBe(low * MiB);
      else expect(seen.protections.lowBytes).toBe(low * MiB);
    }
  });

  it('raises the limit of a container whose swap was set to unlimited after it started', async () => {
    const runtime = dockerRuntime(engine, hierarchy);
    const container = await run('swap-later', { memoryBytes: 32 * MiB, swapBytes: 32 * MiB });
    await engine.docker.getContainer(container.id).update({ MemorySwap: -1 });
    const result = await runtime.limit('swap-later', { limitBytes: 64 * MiB }, guard);
    expect(result.outcome, result.reason).toBe('applied');
    expect(kernelLimit(container)).toBe(64 * MiB);
  });

  it('drill 1: a shrink below usage is refused before it is written', async () => {
    const runtime = dockerRuntime(engine, hierarchy);
    const container = await run('full', { memoryBytes: 96 * MiB, steps: ['anon:40'] });
    await grown(runtime, 'full', 40);
    const result = await runtime.limit('full', { limitBytes: 42 * MiB }, guard);
    expect(result).toMatchObject({ outcome: 'refused', readBackBytes: 96 * MiB });
    expect(result.reason).toMatch(/bytes in use and a margin of/);
    expect(kernelLimit(container)).toBe(96 * MiB);
  });

  it.skipIf(hierarchy.version !== 1)(
    'drill 2 on v1: usage that jumps after the look is an answer of the kernel, busy',
    async () => {
      const runtime = dockerRuntime(engine, hierarchy);
      const container = await run('jumps', { memoryBytes: 96 * MiB });
      await grown(runtime, 'jumps', 0);
      // The cgroup shows the last figures that were read before the jump: the check sees room that is gone.
      const directory = engine.cgroupOf(container.id);
      const stat = await kernelFiles.read(directory, 'memory.stat');
      const usage = await kernelFiles.read(directory, 'memory.usage_in_bytes');
      await container.also('anon:40');
      await grown(runtime, 'jumps', 40);
      const blind = dockerRuntime(engine, hierarchy, {
        files: {
          ...kernelFiles,
          read: async (path, file) => {
            if (file === 'memory.stat') return stat;
            return file === 'memory.usage_in_bytes' ? usage : await kernelFiles.read(path, file);
          },
        },
      });
      const result = await blind.limit('jumps', { limitBytes: 16 * MiB }, guard);
      expect(result).toMatchObject({ outcome: 'busy', readBackBytes: 96 * MiB });
      expect(kernelLimit(container)).toBe(96 * MiB);
      expect((await engine.docker.getContainer(container.id).inspect()).State.Running).toBe(true);
    },
  );

  it('counts OOM kills that Docker restarts after, and a restarting container takes no limit', async () => {
    const runtime = dockerRuntime(engine, hierarchy);
    const changes: ContainerChange[] = [];
    const errors: unknown[] = [];
    const watch = runtime.watch((change) => changes.push(change), { onError: (error) => errors.push(error) });
    const steps = ['sleep:50', 'anon:64'];
    const { id } = await run('eater', {
      memoryBytes: 16 * MiB,
      swapBytes: 16 * MiB,
      steps,
      restart: 'always',
    });
    const kills = () =>
      changes.reduce((sum, change) => sum + (change.kind === 'memory-events' ? change.oomKills : 0), 0);
    await until('three kills are told', () => kills() >= 3);
    const tracked = () => runtime.inventory.get('eater');
    await until('restarting', () => tracked()?.state === 'restarting');
    const result = await runtime.limit('eater', { limitBytes: 24 * MiB }, guard);
    expect(result.outcome, result.reason).toMatch(/refused|gone/);
    expect(result.reason).toMatch(/restarting|anew/);
    const { RestartCount, State } = await engine.docker.getContainer(id).inspect();
    // At most one life more has ended than has been told of, and none is counted twice.
    expect(kills()).toBeLessThanOrEqual(RestartCount + 1);
    expect(kills()).toBeGreaterThanOrEqual(RestartCount - 1);
    expect(State.OOMKilled, 'the flag of Docker').toBeTypeOf('boolean');
    const history = runtime.inventory.historyOf(id);
    expect(history.restartsSince(0)).toBeGreaterThanOrEqual(2);
    expect(history.nextBackoffMs(Date.now())).toBeGreaterThan(200);
    await watch.stop();
    expect(errors).toEqual([]);
  });

  it('drill 7: an engine that hangs costs its own calls only', async () => {
    const runtime = dockerRuntime(engine, hierarchy, { deadlines: quick, settleMs: 300 });
    const container = await run('steady', { memoryBytes: 64 * MiB, steps: ['anon:8'] });
    await grown(runtime, 'steady', 8);
    await observed(runtime, 'steady');
    engine.hang();
    const startedMs = performance.now();
    // Figures come from the kernel, and the list from what is known and still there.
    expect((await observed(runtime, 'steady')).limitBytes).toBe(64 * MiB);
    expect(performance.now() - startedMs).toBeLessThan(100);
    expect((await runtime.list()).map(({ id }) => id)).toEqual(['steady']);
    const hung = await runtime.limit('steady', { limitBytes: 80 * MiB }, { ...guard, deadlineMs: 1_000 });
    expect(hung).toMatchObject({ outcome: 'timed-out', readBackBytes: 64 * MiB });
    expect(performance.now() - startedMs).toBeLessThan(3_000);
    engine.goOn();
    const after = await runtime.limit('steady', { limitBytes: 80 * MiB }, guard);
    expect(after.outcome, after.reason).toBe('applied');
    expect(kernelLimit(container)).toBe(80 * MiB);
  });

  it('drill 7: an update that got no answer lands late, so the next one waits', async () => {
    let looks = 0;
    const files: CgroupFiles = {
      ...kernelFiles,
      read: async (directory, file) => {
        // The second look of a limit is the one right before the write.
        if (file === limitFile.v1 || file === limitFile.v2) looks += 1;
        if (looks === 2) engine.hang();
        return await kernelFiles.read(directory, file);
      },
    };
    const runtime = dockerRuntime(engine, hierarchy, { files, settleMs: 300 });
    const container = await run('late', { memoryBytes: 64 * MiB });
    await runtime.list();
    const hung = await runtime.limit('late', { limitBytes: 96 * MiB }, { ...guard, deadlineMs: 700 });
    expect(hung).toMatchObject({ outcome: 'timed-out', readBackBytes: 64 * MiB });
    expect(hung.reason).toMatch(/count the larger limit/);
    engine.goOn();
    const waits = await runtime.limit('late', { limitBytes: 48 * MiB }, guard);
    expect(waits).toMatchObject({ outcome: 'refused', reason: expect.stringMatching(/may still land/) });
    await until('the first update lands', () => kernelLimit(container) === 96 * MiB);
    await sleep(350);
    const then = await runtime.limit('late', { limitBytes: 48 * MiB }, guard);
    expect(then.outcome, then.reason).toBe('applied');
    expect(kernelLimit(container)).toBe(48 * MiB);
  });

  it.each(['SIGKILL', 'SIGTERM'] as const)(
    'drill 7: an engine that ends by %s and comes back finds everything as it was',
    async (signal) => {
      const runtime = dockerRuntime(engine, hierarchy, { deadlines: quick });
      const changes: ContainerChange[] = [];
      const errors: unknown[] = [];
      const watch = runtime.watch((change) => changes.push(change), {
        onError: (error) => errors.push(error),
      });
      const container = await run('survivor', { memoryBytes: 64 * MiB });
      await until('appeared', () => changes.some(({ kind }) => kind === 'appeared'));
      await engine.end(signal);
      await until('one error tells of the outage', () => errors.length === 1);
      expect(String(errors[0])).toMatch(/Docker engine: GET \/\w+.*: .+/);
      expect((await observed(runtime, 'survivor')).limitBytes).toBe(64 * MiB);
      await engine.begin();
      const later = await run('newcomer');
      await until('the newcomer appears', () =>
        changes.some((change) => change.kind === 'appeared' && change.container.id === later.name),
      );
      const result = await runtime.limit('survivor', { limitBytes: 48 * MiB }, guard);
      expect(result.outcome, result.reason).toBe('applied');
      expect(kernelLimit(container)).toBe(48 * MiB);
      expect(changes.filter(({ kind }) => kind === 'vanished')).toEqual([]);
      expect(errors).toHaveLength(1);
      await watch.stop();
    },
  );

  it('drill 10: a name that another container takes over is another incarnation; a new name is followed', async () => {
    const runtime = dockerRuntime(engine, hierarchy);
    const first = await run('role');
    const { incarnation } = (await observed(runtime, 'role')).container;
    await engine.docker.getContainer(first.id).rename({ name: 'retired' });
    expect((await runtime.list()).map(({ id }) => id)).toEqual(['retired']);
    await run('role', { memoryBytes: 64 * MiB });
    const old = await runtime.limit('role', { limitBytes: 32 * MiB }, { ...guard, incarnation });
    expect(old.outcome).toBe('gone');
    expect((await observed(runtime, 'role')).limitBytes).toBe(64 * MiB);
    expect((await observed(runtime, 'retired')).container.incarnation).toBe(incarnation);
  });

  it('drill 21: a limit that someone else set is seen, and not fought', async () => {
    const runtime = dockerRuntime(engine, hierarchy);
    const container = await run('theirs', { memoryBytes: 64 * MiB, swapBytes: 64 * MiB });
    await observed(runtime, 'theirs');
    await engine.docker.getContainer(container.id).update({ Memory: 80 * MiB, MemorySwap: 80 * MiB });
    expect((await observed(runtime, 'theirs')).limitBytes).toBe(80 * MiB);
    await sleep(500);
    expect(kernelLimit(container)).toBe(80 * MiB);
  });

  it('limits and observes a paused container, and none that was only created', async () => {
    const runtime = dockerRuntime(engine, hierarchy);
    const container = await run('still', { memoryBytes: 64 * MiB });
    expect(await runtime.startSettings('still', -500)).toMatchObject({
      oomScoreAdj: 0,
      isOomKillDisabled: false,
      remedies: {
        oomScoreAdj: expect.stringMatching(/found 0, create the container with --oom-score-adj -500/),
      },
    });
    await engine.docker.getContainer(container.id).pause();
    expect((await runtime.limit('still', { limitBytes: 32 * MiB }, guard)).outcome).toBe('applied');
    expect((await observed(runtime, 'still')).limitBytes).toBe(32 * MiB);
    await engine.docker.getContainer(container.id).unpause();
    const labels = { [memoryLabel]: '' };
    const HostConfig = { NetworkMode: 'none' };
    const options = { name: 'unborn', Image: 'nautilus-test:hog', Cmd: ['/hog'], Labels: labels, HostConfig };
    const unborn = await engine.docker.createContainer(options);
    const answer = await runtime.observe('unborn');
    expect(answer).toMatchObject({ kind: 'gone', reason: expect.stringMatching(/unborn is created/) });
    await unborn.remove();
  });
});

function ignoreMissing(error: unknown): void {
  if ((error as { statusCode?: number }).statusCode !== 404) throw error;
}
