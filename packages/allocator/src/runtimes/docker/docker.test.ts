import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@nautilus/kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Hierarchy } from '../cgroup/detect.ts';
import { kernelFiles } from '../cgroup/files.ts';
import type { ContainerChange, LimitGuard } from '../runtime.ts';
import { FakeCgroupFs } from '../testing/fake-cgroupfs.ts';
import { DockerRuntime, type DockerRuntimeOptions } from './docker.ts';
import { FakeEngine, type Misbehaviour } from './testing/fake-engine.ts';
import { observed, until } from './testing/looking.ts';

const MiB = 1024 * 1024;
const guard: LimitGuard = { usageMarginBytes: 2 * MiB, deadlineMs: 300 };
const none: Hierarchy = { version: null, reason: 'this test shows no cgroups' };

describe('the Docker runtime before an engine that misbehaves', () => {
  let engine: FakeEngine;
  beforeEach(async () => {
    engine = await FakeEngine.start();
  });
  afterEach(async () => await engine.close());

  const runtimeWith = (options: Partial<DockerRuntimeOptions> = {}) =>
    new DockerRuntime({
      socketPath: engine.socketPath,
      configuredNames: new Set(),
      files: kernelFiles,
      hierarchy: none,
      clock: systemClock(),
      random: () => 0,
      pollMs: 20,
      relistMs: 60_000,
      deadlines: { readMs: 200, lifecycleMs: 200 },
      settleMs: 50,
      ...options,
    });

  it('observes and limits through the engine alone where no cgroup can be seen, and says what is missing', async () => {
    engine.add('a', 'alone');
    const runtime = runtimeWith();
    const seen = await observed(runtime, 'alone');
    expect(seen).toMatchObject({
      anonBytes: 8 * MiB,
      workingSetBytes: 8 * MiB,
      limitBytes: 64 * MiB,
      psi: null,
    });
    expect(seen.missing['psi']).toMatch(/the engine does not tell it, and this test shows no cgroups/);
    const result = await runtime.limit('alone', { limitBytes: 32 * MiB }, guard);
    expect(result).toMatchObject({ outcome: 'applied', readBackBytes: 32 * MiB });
    expect(engine.updates).toEqual([{ Memory: 32 * MiB, MemorySwap: 32 * MiB, MemoryReservation: 0 }]);
    const below = await runtime.limit('alone', { limitBytes: 9 * MiB }, guard);
    expect(below).toMatchObject({ outcome: 'refused', readBackBytes: 32 * MiB });
    expect((await runtime.limit('alone', { limitBytes: 'max' }, guard)).outcome).toBe('unsupported');
    expect((await runtime.limit('alone', { limitBytes: MiB }, guard)).reason).toMatch(
      /no limit below 6291456/,
    );
    expect(runtime.pressure('alone').kind).toBe('missing');
    expect(engine.updates).toHaveLength(1);
  });

  it('does not take the memory of the machine for a limit', async () => {
    engine.add('a', 'free', { memory: { Memory: 0, MemorySwap: 0, MemoryReservation: 0 } });
    expect((await observed(runtimeWith(), 'free')).limitBytes).toBe('max');
  });

  const updates: [string, Misbehaviour, string, RegExp][] = [
    ['hangs', 'hang', 'timed-out', /no answer within \d+ ms; it may still take effect/],
    ['breaks off', 'half', 'timed-out', /aborted.*may still take effect/],
    ['answers 500', { status: 500, message: 'boom' }, 'refused', /answered 500: boom/],
    ['answers 409', { status: 409, message: 'memoryswap' }, 'refused', /answered 409: memoryswap/],
    ['answers 404', { status: 404, message: 'No such container' }, 'gone', /answered 404/],
    [
      'says EBUSY as runc 1.1 does',
      { status: 500, message: 'unable to set memory limit to 33554432 (current usage: 1, peak usage: 2)' },
      'busy',
      /unable to set/,
    ],
    [
      'says EBUSY as the kernel does',
      { status: 500, message: 'write memory.limit_in_bytes: device or resource busy' },
      'busy',
      /resource busy/,
    ],
    ['answers HTML', 'no-json', 'refused', /no JSON/],
    ['floods', 'flood', 'refused', /longer than 4194304 bytes/],
    ['says done and did nothing', 'deaf', 'refused', /said done, the limit is 67108864 instead of 33554432/],
  ];
  it.each(updates)('an update that %s is an answer', async (_, how, outcome, reason) => {
    engine.add('a', 'one');
    const runtime = runtimeWith();
    await runtime.list();
    engine.misbehave(/POST .*update/, how);
    const startedMs = performance.now();
    const result = await runtime.limit('one', { limitBytes: 32 * MiB }, guard);
    expect(result).toMatchObject({ outcome, readBackBytes: 64 * MiB });
    expect(result.reason).toMatch(reason);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
  });

  it('counts an update that took effect as applied, although its answer broke off', async () => {
    engine.add('a', 'one');
    const runtime = runtimeWith();
    engine.onUpdate = (container, body) => {
      container.memory = body;
      engine.misbehave(/POST/, 'hang');
      return new Promise(() => undefined);
    };
    const result = await runtime.limit('one', { limitBytes: 32 * MiB }, guard);
    expect(result).toMatchObject({ outcome: 'applied', readBackBytes: 32 * MiB });
    expect(result.reason).toMatch(/although the engine said otherwise: .*no answer/);
  });

  it('asks nothing of a container between two lives, where success would mean nothing', async () => {
    engine.add('a', 'loops', { status: 'restarting', pid: 0 });
    const result = await runtimeWith().limit('loops', { limitBytes: 32 * MiB }, guard);
    expect(result).toMatchObject({ outcome: 'gone', reason: expect.stringMatching(/loops is restarting/) });
    expect(engine.updates).toEqual([]);
  });

  it('sees that a container began to restart after the list was made', async () => {
    const container = engine.add('a', 'loops');
    const runtime = runtimeWith();
    await runtime.list();
    let inspections = 0;
    engine.onCall = (call) => {
      // The first inspection belongs to the lookup of the name.
      if (call.endsWith(`${container.id}/json?`)) inspections += 1;
      if (inspections === 2) container.status = 'restarting';
    };
    const result = await runtime.limit('loops', { limitBytes: 32 * MiB }, guard);
    expect(result).toMatchObject({
      outcome: 'refused',
      reason: expect.stringMatching(/is restarting: there is no cgroup/),
    });
    expect(engine.updates).toEqual([]);
  });

  it('does not let a container that hangs the engine block the next one', async () => {
    engine.add('a', 'stuck');
    engine.add('b', 'fine');
    const runtime = runtimeWith();
    await runtime.list();
    engine.misbehave(/a{64}\/(stats|update|json)/, 'hang');
    const stuck = runtime.observe('stuck');
    const startedMs = performance.now();
    const result = await runtime.limit('fine', { limitBytes: 32 * MiB }, { ...guard, deadlineMs: 2_000 });
    expect(result.outcome, result.reason).toBe('applied');
    expect(performance.now() - startedMs).toBeLessThan(1_500);
    const seen = await stuck;
    expect(seen).toMatchObject({ kind: 'observation', usageBytes: null, limitBytes: null });
  });

  const lists: [string, Misbehaviour][] = [
    ['hangs', 'hang'],
    ['breaks off', 'half'],
    ['floods', 'flood'],
    ['answers HTML', 'no-json'],
    ['answers something else', 'other-json'],
    ['answers 500', { status: 500, message: 'boom' }],
  ];
  it.each(lists)(
    'a list that %s takes nobody away who was known, and tells of one outage',
    async (_, how) => {
      engine.add('a', 'one');
      const { runtime, changes, errors, watch } = await watched();
      engine.misbehave(/containers\/json/, how);
      engine.add('b', 'two');
      for (const container of engine.containers.values()) engine.emit('start', container);
      await until('the outage is told', () => errors.length === 1);
      expect(runtime.inventory.failure).not.toBeNull();
      expect(changes.map(({ kind, container }) => `${kind} ${container.id}`)).toEqual(['appeared one']);
      engine.behave();
      engine.emit('start', engine.containers.get('b'.repeat(64)) ?? engine.add('b', 'two'));
      await until('the other appears', () => changes.some(({ container }) => container.id === 'two'));
      expect(runtime.inventory.failure).toBeNull();
      expect(errors).toHaveLength(1);
      await watch.stop();
    },
  );

  it('reads events that arrive in pieces', async () => {
    const { changes, watch } = await watched();
    engine.emit('start', engine.add('a', 'late'), 40);
    await until('it appears', () => changes.length === 1);
    await watch.stop();
  });

  it('misses nothing while the stream is cut or the socket gone', async () => {
    const kept = engine.add('a', 'kept');
    const { changes, errors, watch } = await watched();
    engine.cutStreams();
    await until('the stream stands again', () => engine.streams === 1);
    await engine.end();
    await until('the outage is told', () => errors.length === 1);
    engine.containers.delete(kept.id);
    engine.add('b', 'new');
    await engine.begin();
    await until('the list is taken anew', () => changes.length === 3);
    const told = changes.map(({ kind, container }) => `${kind} ${container.id}`);
    expect(told).toEqual(['appeared kept', 'vanished kept', 'appeared new']);
    await watch.stop();
  });

  it('follows restarts and renames as other containers, and counts kills once whoever tells of them', async () => {
    const container = engine.add('a', 'one');
    const { runtime, changes, watch } = await watched();
    engine.emit('oom', container);
    engine.emit('oom', container);
    await until('two kills', () => changes.length === 3);
    container.startedAt = '2026-01-01T00:00:09Z';
    engine.emit('start', container);
    await until('another life', () => changes.length === 5);
    container.name = 'renamed';
    engine.emit('rename', container);
    await until('another name', () => changes.length === 7);
    expect(changes.map((change) => `${change.kind} ${change.container.id}`)).toEqual([
      'appeared one',
      'memory-events one',
      'memory-events one',
      'vanished one',
      'appeared one',
      'vanished one',
      'appeared renamed',
    ]);
    expect(runtime.inventory.ooms.killsOf(container.id)).toBe(2);
    expect(runtime.inventory.historyOf(container.id).restartsSince(0)).toBe(1);
    await watch.stop();
  });

  async function watched() {
    const runtime = runtimeWith();
    const changes: ContainerChange[] = [];
    const errors: unknown[] = [];
    const watch = runtime.watch((change) => changes.push(change), { onError: (error) => errors.push(error) });
    await until('the stream stands', () => engine.streams === 1);
    await until('the first list is taken', () => changes.length === engine.containers.size);
    return { runtime, changes, errors, watch };
  }
});

describe('the Docker runtime on a model of cgroup v2, where a limit below usage kills', () => {
  it('lowers the cgroup by the careful way first, so that the engine writes what stands', async () => {
    const engine = await FakeEngine.start();
    const root = mkdtempSync(join(tmpdir(), 'nautilus-docker-v2-'));
    const files = new FakeCgroupFs(root, 2);
    const container = engine.add('a', 'careful');
    const directory = files.add(container.id);
    files.grow(directory, { anonBytes: 20 * MiB, cacheBytes: 30 * MiB });
    const runtime = new DockerRuntime({
      socketPath: engine.socketPath,
      configuredNames: new Set(),
      files,
      hierarchy: { version: 2, root, reason: 'a model' },
      clock: systemClock(),
      random: () => 0,
      pollMs: 1_000,
      relistMs: 60_000,
      readMembership: async () => `0::/${container.id}/inner\n`,
    });
    const stood: string[] = [];
    engine.onUpdate = async (_, body) => {
      stood.push(readFileSync(join(directory, 'memory.max'), 'utf8'));
      await files.write(directory, 'memory.max', String(body.Memory));
    };
    const request = { limitBytes: 32 * MiB, highBytes: 30 * MiB, minBytes: 8 * MiB };
    const result = await runtime.limit('careful', request, { ...guard, deadlineMs: 2_000 });
    expect(result).toMatchObject({ outcome: 'applied', readBackBytes: 32 * MiB, skipped: {} });
    expect(stood.map(Number)).toEqual([32 * MiB]);
    const seen = await observed(runtime, 'careful');
    expect(seen.protections).toMatchObject({ highBytes: 30 * MiB, minBytes: 8 * MiB });
    expect(seen).toMatchObject({ limitBytes: 32 * MiB, oomKills: 0 });
    const below = await runtime.limit('careful', { limitBytes: 21 * MiB }, guard);
    expect(below).toMatchObject({ outcome: 'refused', readBackBytes: 32 * MiB });
    expect(engine.updates).toHaveLength(1);
    // Where the cgroup may not be written, the check before the engine's write is what is left.
    files.failNext('write', 'memory.high', 'EACCES');
    const plain = await runtime.limit('careful', { limitBytes: 26 * MiB }, { ...guard, deadlineMs: 2_000 });
    expect(plain).toMatchObject({ outcome: 'applied', readBackBytes: 26 * MiB });
    expect(stood.map(Number)).toEqual([32 * MiB, 32 * MiB]);
    expect(files.isAlive(directory)).toBe(true);
    await engine.close();
    rmSync(root, { recursive: true });
  });
});
