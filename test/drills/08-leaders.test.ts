/** Drill 8: two orchestrators as real processes; the one that leads is killed half-way, killed at rest, and put to sleep. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bus, connectBus } from '@nautilus/bus';
import { type NatsServer, startNats } from '@nautilus/bus/testing';
import { buckets, type DesiredBudget } from '@nautilus/contracts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Program, runProgram } from '../support/spawn.ts';

const MiB = 2 ** 20;
const capacityBytes = 1024 * MiB;
const leaseMs = buckets.lease.ttlMs ?? Number.NaN;
const waiting = { timeout: 20_000, interval: 20 };

let nats: NatsServer;
let bus: Bus;
let folder: string;
let stopReporting: () => Promise<void>;
const programs: { readonly program: Program; readonly port: number }[] = [];
/** Everything that was written to `desired`, in order, and what the agent has obeyed. */
const written: { readonly key: string; readonly value: DesiredBudget; readonly atMs: number }[] = [];
const inForce = new Map<string, number>();
const sums: number[] = [];
const leased: Record<string, number> = {};
const obeying = new Set<NodeJS.Timeout>();

beforeEach(async () => {
  nats = await startNats({ jetstream: true });
  bus = await connectBus({ servers: nats.url, name: 'drill' });
  folder = await mkdtemp(join(tmpdir(), 'nautilus-drill-'));
  written.length = 0;
  sums.length = 0;
  inForce.clear();
  Object.assign(leased, { a: 600, b: 80 });
  const desired = await bus.store(buckets.desired);
  await desired.watch('>', ({ key, value }) => {
    if (value === null) return;
    written.push({ key, value, atMs: performance.now() });
    // An agent that obeys a little later, and never below what is leased.
    obeying.add(setTimeout(() => obey(key.slice('h1.'.length), value.budgetBytes), 150));
  });
  stopReporting = await report();
});
afterEach(async () => {
  for (const { program } of programs.splice(0)) {
    program.process.kill('SIGCONT');
    await program.stop('SIGKILL');
  }
  await stopReporting();
  await bus.close();
  for (const timer of obeying) clearTimeout(timer);
  obeying.clear();
  await nats[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

function obey(container: string, budgetBytes: number): void {
  if (budgetBytes < (leased[container] ?? 0) * MiB) return;
  inForce.set(container, budgetBytes);
  sums.push([...inForce.values()].reduce((sum, bytes) => sum + bytes, 0));
}

async function report(): Promise<() => Promise<void>> {
  const observed = await bus.store(buckets.observed);
  const hosts = await bus.store(buckets.observedHost);
  let isOver = false;
  const loop = (async () => {
    while (!isOver) {
      const at = Date.now();
      for (const [container, mebibytes] of Object.entries(leased)) {
        await observed.put(`h1.${container}`, {
          container,
          at,
          spec: {
            minimumBytes: 64 * MiB,
            maximumBytes: capacityBytes,
            priority: 'normal',
            policy: 'burstable',
            resize: 'any-time',
            scale: null,
          },
          budgetBytes: inForce.get(container) ?? 64 * MiB,
          leasedBytes: mebibytes * MiB,
          liveBytes: 0,
          highWaterBytes: mebibytes * MiB,
          refusedBytes: 0,
          connected: true,
        });
      }
      await hosts.put('h1', {
        host: 'h1',
        instance: 'drill',
        at,
        grantableBytes: capacityBytes,
        leasedBytes: 0,
        lingeringBytes: 0,
        epoch: 0,
      });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  return async () => {
    isOver = true;
    await loop;
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function start(): Promise<{ readonly program: Program; readonly port: number }> {
  const port = await freePort();
  const file = join(folder, `${port}.yaml`);
  await writeFile(
    file,
    `nats: { servers: ['${nats.url}'] }\norchestrator: { port: ${port}, interval: 200ms }\n`,
  );
  const program = runProgram(new URL('../../services/orchestrator/src/main.ts', import.meta.url), [
    '--config',
    file,
  ]);
  const started = { program, port };
  programs.push(started);
  await vi.waitFor(async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
    expect(answer.status, program.errors()).toBe(200);
  }, waiting);
  return started;
}

/** Of the first that leads and the one that waits. */
async function startTwo() {
  const first = await start();
  await vi.waitFor(() => expect(inForce.get('a')).toBe(750 * MiB), waiting);
  const second = await start();
  return { first, second };
}

const newestEpoch = () => Math.max(0, ...written.map(({ value }) => value.epoch));

describe('two orchestrators', () => {
  it('killed at rest: the other leads within the time of the lease and a second', {
    timeout: 60_000,
  }, async () => {
    const { first } = await startTwo();
    const old = newestEpoch();
    const killedAt = performance.now();
    first.program.process.kill('SIGKILL');
    await vi.waitFor(() => expect(newestEpoch()).toBeGreaterThan(old), waiting);
    const tookMs = (written.find(({ value }) => value.epoch > old)?.atMs ?? Number.NaN) - killedAt;
    process.stdout.write(`the other wrote its first budget ${Math.round(tookMs)} ms after kill -9\n`);
    expect(tookMs).toBeLessThanOrEqual(leaseMs + 1_000);
    // The budgets of one plan are written one after the other: the last may come after the first was seen.
    await vi.waitFor(
      () =>
        expect(
          written.filter(({ value }) => value.epoch > old).map(({ key, value }) => [key, value.budgetBytes]),
        ).toEqual(
          expect.arrayContaining([
            ['h1.a', 750 * MiB],
            ['h1.b', 100 * MiB],
          ]),
        ),
      waiting,
    );
  });

  it('killed between a decrease and the increase: the sum holds, and the other finishes it', {
    timeout: 60_000,
  }, async () => {
    const { first } = await startTwo();
    const seen = written.length;
    Object.assign(leased, { a: 80, b: 500 });
    await vi.waitFor(
      () =>
        expect(
          written.slice(seen).some(({ key, value }) => key === 'h1.a' && value.budgetBytes < 750 * MiB),
        ).toBe(true),
      { timeout: 20_000, interval: 1 },
    );
    first.program.process.kill('SIGKILL');
    await first.program.ended;
    await vi.waitFor(() => {
      expect(inForce.get('a')).toBe(100 * MiB);
      expect(inForce.get('b')).toBe(625 * MiB);
    }, waiting);
    expect(Math.max(...sums)).toBeLessThanOrEqual(capacityBytes);
  });

  it('put to sleep while it leads: whatever it says when it wakes is refused', {
    timeout: 60_000,
  }, async () => {
    const { first } = await startTwo();
    const old = newestEpoch();
    first.program.process.kill('SIGSTOP');
    await vi.waitFor(() => expect(newestEpoch()).toBeGreaterThan(old), waiting);
    const next = newestEpoch();
    await vi.waitFor(() => {
      const confirmed = new Set(written.filter(({ value }) => value.epoch === next).map(({ key }) => key));
      expect([...confirmed].sort()).toEqual(['h1.a', 'h1.b']);
    }, waiting);
    const seen = written.length;
    first.program.process.kill('SIGCONT');
    // It must plan something that it would have to write.
    Object.assign(leased, { a: 600, b: 200 });
    await vi.waitFor(() => expect(inForce.get('b')).toBe(250 * MiB), waiting);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const after = written.slice(seen);
    expect(after.length).toBeGreaterThan(0);
    expect(after.filter(({ value }) => value.epoch < next)).toEqual([]);
    expect(Math.max(...sums)).toBeLessThanOrEqual(capacityBytes);
    const metrics = await (await fetch(`http://127.0.0.1:${first.port}/metrics`)).text();
    expect(metrics).toContain('nautilus_memory_leader{service="orchestrator"} 0');
  });
});
