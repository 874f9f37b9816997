/** What is told of decisions: the records to decide them again, dry runs, explanations, and what a new leader leaves alone. */
import { type Bus, connectBus } from '@nautilus/bus';
import { type NatsServer, startNats } from '@nautilus/bus/testing';
import {
  type BudgetPlan,
  configSchema,
  explainPlan,
  limitWritten,
  planDecided,
  planRecorded,
  type RecordedInput,
} from '@nautilus/contracts';
import { createLogger } from '@nautilus/kit';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type RunningOrchestrator, replayPlan, startOrchestrator } from './index.ts';
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

async function start(
  instance: string,
  settings: Record<string, string | boolean> = {},
): Promise<RunningOrchestrator> {
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

const waiting = { timeout: 10_000, interval: 20 };
const pause = (durationMs: number) => new Promise((resolve) => setTimeout(resolve, durationMs));
const guaranteed = { priority: 'critical', policy: 'guaranteed' } as const;

describe('what was decided', () => {
  it('is decided again from the stream, bit by bit, and a forged record is not believed', async () => {
    const host = await FakeHost.open(bus, 'h1', 2048 * MiB);
    await host.report({ a: { leasedBytes: 400 * MiB }, b: { spec: guaranteed, leasedBytes: 77 * MiB } });
    const plans: BudgetPlan[] = [];
    const records: RecordedInput[] = [];
    await bus.subscribe(planDecided, { host: 'h1' }, (plan) => void plans.push(plan));
    await bus.subscribe(planRecorded, { host: 'h1' }, (record) => void records.push(record));
    await start('o1');
    await vi.waitFor(() => expect(plans.length).toBe(1), waiting);
    await host.report({ a: { leasedBytes: 400 * MiB, refusedBytes: 200 * MiB } });
    await vi.waitFor(() => expect(plans.length).toBe(2), waiting);
    for (const plan of plans) {
      const replayed = replayPlan(plan, records);
      expect(replayed).toMatchObject({
        ok: true,
        value: { differs: null, again: { budgets: plan.budgets } },
      });
    }
    const [plan] = plans;
    if (plan === undefined) throw new Error('no plan');
    const changed = { ...plan, budgets: plan.budgets.map((each) => ({ ...each, budgetBytes: 1 })) };
    expect(replayPlan(changed, records)).toMatchObject({ ok: true, value: { differs: 'a' } });
    const forged = records.map((record) => ({ ...record, data: records.at(-1)?.data ?? '' }));
    expect(replayPlan(plan, forged)).toMatchObject({ ok: false });
    expect(replayPlan(plan, [])).toMatchObject({ ok: false });
  });

  it('in a dry run is told and explained, and nothing is written', async () => {
    const host = await FakeHost.open(bus, 'h1', 2048 * MiB);
    await host.report({ a: { leasedBytes: 400 * MiB } });
    const plans: BudgetPlan[] = [];
    await bus.subscribe(planDecided, { host: 'h1' }, (plan) => void plans.push(plan));
    const orchestrator = await start('o1', { dry_run: true });
    await vi.waitFor(async () => {
      const rounds = await metric(orchestrator, 'nautilus_memory_plans_total{outcome="dry-run"}');
      expect(rounds).toBeGreaterThan(3);
    }, waiting);
    expect(plans).toHaveLength(1);
    expect(plans[0]).toMatchObject({ dryRun: true, budgets: [{ container: 'a', budgetBytes: 500 * MiB }] });
    expect(await host.budgets()).toEqual({});
  });

  it('for one container is answered with what was seen, decided and became of it', async () => {
    const host = await FakeHost.open(bus, 'h1', 2048 * MiB);
    await host.report({ a: { leasedBytes: 400 * MiB } });
    await start('o1');
    await vi.waitFor(async () => expect(await host.budgets()).toEqual({ a: 500 }), waiting);
    const refused = {
      at: 7,
      container: 'a',
      outcome: 'refused' as const,
      wantedBytes: 1,
      readBackBytes: 2,
      previousBytes: 2,
      reason: 'in use',
      epoch: 1,
    };
    bus.publish(limitWritten, { host: 'h1' }, refused);
    await vi.waitFor(async () => {
      const { container } = await bus.request(explainPlan, {}, { host: 'h1', container: 'a' });
      expect(container).toMatchObject({
        desired: { budgetBytes: 500 * MiB },
        observed: { leasedBytes: 400 * MiB },
        forecast: null,
        remembered: null,
        limitWrites: [refused],
      });
    }, waiting);
    const unknown = await bus.request(explainPlan, {}, { host: 'h1', container: 'nobody' });
    expect(unknown.container).toBeNull();
  });

  it('is not changed by a new leader for two looks, and then it is', async () => {
    const host = await FakeHost.open(bus, 'h1', 4096 * MiB);
    await host.report({ a: { leasedBytes: 400 * MiB } });
    await stop(
      await start('o1').then(async (first) => {
        await vi.waitFor(async () => expect(await host.budgets()).toEqual({ a: 500 }), waiting);
        return first;
      }),
    );
    await host.report({ a: { leasedBytes: 800 * MiB } });
    const second = await start('o2');
    await vi.waitFor(async () => {
      const rounds = await metric(second, 'nautilus_memory_plan_duration_seconds_count');
      expect(rounds).toBeGreaterThan(3);
    }, waiting);
    expect(await host.budgets()).toEqual({ a: 500 });
    expect((await host.desired())['a']?.reason).toContain('the controller has just started');
    await host.report({ a: { leasedBytes: 800 * MiB } });
    await pause(500);
    expect(await host.budgets()).toEqual({ a: 500 });
    await host.report({ a: { leasedBytes: 800 * MiB } });
    await vi.waitFor(async () => expect(await host.budgets()).toEqual({ a: 1000 }), waiting);
  });
});
