/** The orchestrator on a real NATS server, with a host that a test speaks for. */
import { type Bus, connectBus } from '@nautilus/bus';
import { type NatsServer, startNats } from '@nautilus/bus/testing';
import { type BudgetPlan, configSchema, explainPlan, planDecided } from '@nautilus/contracts';
import { createLogger } from '@nautilus/kit';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type RunningOrchestrator, startOrchestrator } from './index.ts';
import { FakeHost, MiB } from './testing/fake-host.ts';

let nats: NatsServer;
let bus: Bus;
const running: RunningOrchestrator[] = [];
const log = createLogger({ name: 'test', level: 'silent' });

beforeEach(async () => {
  nats = await startNats({ jetstream: true });
  bus = await connectBus({ servers: nats.url, name: 'test', reconnectDelayMs: 100 });
});
afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
  await bus.close();
  await nats[Symbol.asyncDispose]();
});

async function start(instance: string, settings: Record<string, string> = {}): Promise<RunningOrchestrator> {
  const config = configSchema.parse({
    nats: { servers: [nats.url] },
    orchestrator: { port: 0, interval: '200ms', ...settings },
  });
  const started = await startOrchestrator({ config, log, instance });
  running.push(started);
  return started;
}

async function stop(orchestrator: RunningOrchestrator): Promise<void> {
  running.splice(running.indexOf(orchestrator), 1);
  await orchestrator.stop();
}

async function metric(orchestrator: RunningOrchestrator, series: string): Promise<number | null> {
  const text = await (await fetch(`http://127.0.0.1:${orchestrator.port}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? null : Number(line.slice(series.length + 1));
}

const isLeader = (orchestrator: RunningOrchestrator) =>
  metric(orchestrator, 'nautilus_memory_leader{service="orchestrator"}');
const ready = async (orchestrator: RunningOrchestrator) =>
  (await fetch(`http://127.0.0.1:${orchestrator.port}/readyz`)).status;
const waiting = { timeout: 10_000, interval: 20 };
const pause = (durationMs: number) => new Promise((resolve) => setTimeout(resolve, durationMs));
const guaranteed = { priority: 'critical', policy: 'guaranteed' } as const;

describe('the leader', () => {
  it('writes a budget with its reason for every container, and keeps the decision', async () => {
    const host = await FakeHost.open(bus, 'h1', 2048 * MiB);
    await host.report({ a: { leasedBytes: 400 * MiB }, b: {} });
    const decided: BudgetPlan[] = [];
    await bus.subscribe(planDecided, { host: 'h1' }, (plan) => void decided.push(plan));
    const orchestrator = await start('o1');
    await vi.waitFor(async () => expect(await host.budgets()).toEqual({ a: 500, b: 64 }), waiting);
    const { a, b } = await host.desired();
    expect(a?.reason).toBe('holds 400MiB: wants 500MiB, with 25% headroom');
    expect(a?.epoch).toBe(b?.epoch);
    await vi.waitFor(() => expect(decided).toHaveLength(1), waiting);
    expect(decided[0]).toMatchObject({
      plan: a?.plan,
      host: 'h1',
      capacityBytes: 2048 * MiB,
      plannedBytes: 564 * MiB,
    });
    expect(await metric(orchestrator, 'nautilus_memory_plans_total{outcome="written"}')).toBe(1);
    expect(await metric(orchestrator, 'nautilus_memory_planned_bytes{host="h1"}')).toBe(564 * MiB);
    expect(await metric(orchestrator, 'nautilus_memory_bus_connected')).toBe(1);
    // What repeats itself is neither written nor announced again.
    await vi.waitFor(async () => {
      expect(await metric(orchestrator, 'nautilus_memory_plans_total{outcome="unchanged"}')).toBeGreaterThan(
        2,
      );
    }, waiting);
    expect(decided).toHaveLength(1);
    expect((await host.desired())['a']).toEqual(a);
  });

  it('answers a refusal and a new container at once, not at the next interval', async () => {
    const host = await FakeHost.open(bus, 'h1', 4096 * MiB);
    await host.report({ a: {} });
    await start('o1', { interval: '1h' });
    await vi.waitFor(async () => expect(await host.budgets()).toEqual({ a: 64 }), waiting);
    await host.report({ a: { leasedBytes: 64 * MiB, refusedBytes: 200 * MiB } });
    await vi.waitFor(async () => expect(await host.budgets()).toEqual({ a: 280 }), waiting);
    await host.report({ late: { leasedBytes: 80 * MiB } });
    await vi.waitFor(async () => expect(await host.budgets()).toEqual({ a: 280, late: 100 }), waiting);
    const other = await FakeHost.open(bus, 'h2', 1024 * MiB);
    await other.report({ x: {} });
    await vi.waitFor(async () => expect(await other.budgets()).toEqual({ x: 64 }), waiting);
  });

  it('plans no more than once a second, however often it is asked', async () => {
    const host = await FakeHost.open(bus, 'h1', 4096 * MiB);
    await host.report({ a: {} });
    const orchestrator = await start('o1', { interval: '1h' });
    await vi.waitFor(async () => expect(await host.budgets()).toEqual({ a: 64 }), waiting);
    const began = Date.now();
    let mebibytes = 0;
    while (Date.now() - began < 2_500) {
      mebibytes += 1;
      await host.report({ a: { refusedBytes: mebibytes * MiB } });
    }
    expect(mebibytes).toBeGreaterThan(20);
    await vi.waitFor(async () => {
      expect(await metric(orchestrator, 'nautilus_memory_plan_duration_seconds_count')).toBeGreaterThan(2);
    }, waiting);
    const rounds = await metric(orchestrator, 'nautilus_memory_plan_duration_seconds_count');
    expect(rounds).toBeLessThanOrEqual(5);
  });

  it('never shrinks a guarantee below its high water, while others come and go', async () => {
    const host = await FakeHost.open(bus, 'h1', 1024 * MiB);
    await host.report({ g: { spec: guaranteed, leasedBytes: 400 * MiB }, b: {} });
    await start('o1');
    await vi.waitFor(async () => expect(await host.budgets()).toEqual({ g: 500, b: 64 }), waiting);
    const idle = { spec: guaranteed, leasedBytes: 0, highWaterBytes: 400 * MiB };
    await vi.waitFor(async () => {
      await host.report({ g: idle, b: { leasedBytes: 600 * MiB, refusedBytes: 300 * MiB } });
      expect(await host.budgets()).toEqual({ g: 424, b: 600 });
    }, waiting);
    await vi.waitFor(async () => {
      await host.report({ g: idle, b: { leasedBytes: 900 * MiB } });
      expect(await host.budgets()).toEqual({ g: 400, b: 624 });
      expect((await host.desired())['b']?.reason).toContain('asked to give back 276MiB');
    }, waiting);
  });

  it('freezes a host that is not reported any more, says so, and goes on when it is back', async () => {
    const host = await FakeHost.open(bus, 'h1', 2048 * MiB);
    const orchestrator = await start('o1', { stale_after: '500ms', interval: '100ms' });
    await vi.waitFor(async () => {
      await host.report({ a: { leasedBytes: 400 * MiB } });
      expect(await host.budgets()).toEqual({ a: 500 });
    }, waiting);
    await pause(700);
    const before = await host.desired();
    // News with an instant of long ago: nothing may follow from it.
    await host.report({ a: { leasedBytes: 800 * MiB } }, Date.now() - 60_000);
    const rounds = await metric(orchestrator, 'nautilus_memory_plans_total{outcome="frozen"}');
    await vi.waitFor(async () => {
      const now = await metric(orchestrator, 'nautilus_memory_plans_total{outcome="frozen"}');
      expect(now).toBeGreaterThan((rounds ?? 0) + 2);
    }, waiting);
    expect(await host.desired()).toEqual(before);
    const { plan } = await bus.request(explainPlan, {}, { host: 'h1' });
    expect(plan?.frozen).toMatch(/^the host was last reported 60(\.\d)?s ago, longer than 0.5s$/);
    expect(plan?.budgets[0]).toMatchObject({ container: 'a', budgetBytes: 500 * MiB });
    await vi.waitFor(async () => {
      await host.report({ a: { leasedBytes: 800 * MiB } });
      expect(await host.budgets()).toEqual({ a: 1000 });
    }, waiting);
  });

  it('goes on planning after NATS was away, and is not ready meanwhile', async () => {
    const host = await FakeHost.open(bus, 'h1', 2048 * MiB);
    await host.report({ a: {} });
    const orchestrator = await start('o1', { stale_after: '1h' });
    await vi.waitFor(async () => expect(await host.budgets()).toEqual({ a: 64 }), waiting);
    expect(await ready(orchestrator)).toBe(200);
    await nats.stop();
    await vi.waitFor(async () => expect(await ready(orchestrator)).toBe(503), waiting);
    await nats.restart({ keepStore: true });
    await vi.waitFor(async () => expect(await ready(orchestrator)).toBe(200), waiting);
    await vi.waitFor(
      async () => {
        await host.report({ a: { leasedBytes: 400 * MiB } });
        expect(await host.budgets()).toEqual({ a: 500 });
      },
      { timeout: 20_000, interval: 200 },
    );
  });
});

describe('two instances', () => {
  it('one leads, the other waits ready, and takes over without changing a budget', async () => {
    const host = await FakeHost.open(bus, 'h1', 2048 * MiB);
    await host.report({ a: { leasedBytes: 400 * MiB }, b: { leasedBytes: 100 * MiB } });
    const first = await start('o1');
    await vi.waitFor(async () => expect(await host.budgets()).toEqual({ a: 500, b: 125 }), waiting);
    const second = await start('o2');
    expect([await isLeader(first), await isLeader(second), await ready(second)]).toEqual([1, 0, 200]);
    const before = await host.desired();

    const decided: BudgetPlan[] = [];
    await bus.subscribe(planDecided, { host: 'h1' }, (plan) => void decided.push(plan));
    await stop(first);
    await vi.waitFor(async () => expect(await isLeader(second)).toBe(1), waiting);
    await vi.waitFor(() => expect(decided).toHaveLength(1), waiting);
    expect(
      decided[0]?.budgets.map(({ budgetBytes, previousBytes }) => budgetBytes === previousBytes),
    ).toEqual([true, true]);
    const after = await host.desired();
    for (const name of ['a', 'b']) {
      expect(after[name]?.budgetBytes).toBe(before[name]?.budgetBytes);
      expect(after[name]?.decidedAt).toBe(before[name]?.decidedAt);
      expect(after[name]?.epoch).toBeGreaterThan(before[name]?.epoch ?? Number.POSITIVE_INFINITY);
    }
  });

  it('both explain the budgets in force, whoever is asked', async () => {
    const host = await FakeHost.open(bus, 'h1', 2048 * MiB);
    await host.report({ a: { leasedBytes: 400 * MiB }, b: {} });
    await start('o1');
    await vi.waitFor(async () => expect(await host.budgets()).toEqual({ a: 500, b: 64 }), waiting);
    await start('o2');
    const asked = new Map<boolean, BudgetPlan | null>();
    await vi.waitFor(async () => {
      const { leader, epoch, plan } = await bus.request(explainPlan, {}, { host: 'h1' });
      asked.set(leader, plan);
      expect(epoch === null).toBe(!leader);
      expect(asked.size).toBe(2);
    }, waiting);
    const said = (plan: BudgetPlan | null | undefined) =>
      plan?.budgets.map(({ container, budgetBytes, reason }) => [container, budgetBytes / MiB, reason]);
    expect(said(asked.get(true))).toEqual([
      ['a', 500, 'holds 400MiB: wants 500MiB, with 25% headroom'],
      ['b', 64, 'holds nothing: wants 64MiB, its minimum'],
    ]);
    expect(said(asked.get(false))).toEqual(said(asked.get(true)));
    const unknown = await bus.request(explainPlan, {}, { host: 'nowhere' });
    expect(unknown.plan).toBeNull();
  });
});
