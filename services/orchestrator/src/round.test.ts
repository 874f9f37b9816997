/** One round against real buckets, with somebody who writes in between. */
import { type Bus, connectBus } from '@nautilus/bus';
import { type NatsServer, startNats } from '@nautilus/bus/testing';
import { buckets, configSchema, type DesiredBudget } from '@nautilus/contracts';
import { createLogger } from '@nautilus/kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Memory } from './memory.ts';
import { planPolicy } from './policy.ts';
import { planHost, type RoundParts } from './round.ts';
import { openState, type State } from './state.ts';
import { FakeHost, MiB } from './testing/fake-host.ts';

let nats: NatsServer;
let bus: Bus;
let state: State;
let memory: Memory;
beforeAll(async () => {
  nats = await startNats({ jetstream: true });
  bus = await connectBus({ servers: nats.url, name: 'test' });
  state = await openState(bus);
  memory = new Memory(state.remembered);
});
afterAll(async () => {
  await bus.close();
  await nats[Symbol.asyncDispose]();
});

function parts(own: State = state): RoundParts {
  let count = 0;
  return {
    state: own,
    memory,
    policy: planPolicy(configSchema.parse({}).orchestrator),
    clock: { now: () => Date.now() },
    log: createLogger({ name: 'test', level: 'silent' }),
    newPlanId: (host) => {
      count += 1;
      return `${host}-${count}`;
    },
  };
}
/** A report counts as an answer to a decision only when it is younger. */
const pause = () => new Promise((resolve) => setTimeout(resolve, 5));
const leading = (epoch: number) => ({ epoch, isLeading: () => true });
const budget = (mebibytes: number, epoch: number): DesiredBudget => ({
  budgetBytes: mebibytes * MiB,
  epoch,
  plan: 'other',
  reason: 'someone else',
  decidedAt: 1,
});

/** `interfere` acts before the given writes reach the bucket, counted from 1. */
function interrupted(isDue: (write: number) => boolean, interfere: () => Promise<unknown>): State {
  let writes = 0;
  const before = async () => {
    writes += 1;
    if (isDue(writes)) await interfere();
  };
  const { desired } = state;
  return {
    ...state,
    desired: {
      ...desired,
      get: (key) => desired.get(key),
      snapshot: (filter) => desired.snapshot(filter),
      create: (key, value) => before().then(() => desired.create(key, value)),
      update: (key, value, revision) => before().then(() => desired.update(key, value, revision)),
    },
  };
}

describe('planHost', () => {
  it('writes decreases first, and gives their bytes away when the agent has reported them', async () => {
    const host = await FakeHost.open(bus, 'h1', 1024 * MiB);
    const first = { priority: 'high' } as const;
    await host.report({ a: { spec: first, leasedBytes: 700 * MiB }, b: { leasedBytes: 80 * MiB }, c: {} });
    expect((await planHost(parts(), 'h1', leading(1))).outcome).toBe('written');
    expect(await host.budgets()).toEqual({ a: 875, b: 85, c: 64 });

    const sums: number[] = [];
    const now = new Map<string, number>();
    const desired = await bus.store(buckets.desired);
    const watch = await desired.watch('h1.*', ({ key, value }) => {
      now.set(key, (value?.budgetBytes ?? 0) / MiB);
      if (now.size === 3) sums.push([...now.values()].reduce((sum, each) => sum + each, 0));
    });
    const use = { a: { leasedBytes: 80 * MiB }, b: { leasedBytes: 500 * MiB, refusedBytes: 135 * MiB } };
    const settled = { ...parts(), policy: { ...parts().policy, settleMs: 0 } };
    await pause();
    await host.report(use);
    const cut = await planHost(settled, 'h1', leading(2));
    expect([cut.outcome, cut.written, cut.isHeld]).toEqual(['written', 3, true]);
    expect(await host.budgets()).toEqual({ a: 100, b: 85, c: 64 });
    await pause();
    await host.report(use);
    const round = await planHost(settled, 'h1', leading(2));
    expect([round.outcome, round.written, round.isHeld]).toEqual(['written', 1, false]);
    expect(await host.budgets()).toEqual({ a: 100, b: 760, c: 64 });
    await expect.poll(() => sums.length, { timeout: 5_000 }).toBe(5);
    await watch.stop();
    // As listed, the cut, both confirmed for the new leader, and what the cut has freed.
    expect(sums).toEqual([1024, 249, 249, 249, 924]);
  });

  it('decides again from what someone else wrote meanwhile', async () => {
    const host = await FakeHost.open(bus, 'h2', 1024 * MiB);
    await host.report({ a: { leasedBytes: 400 * MiB } });
    const once = interrupted(
      (write) => write === 1,
      () => state.desired.put('h2.a', budget(300, 4)),
    );
    const round = await planHost(parts(once), 'h2', leading(5));
    expect(round).toMatchObject({ outcome: 'written', plan: { plan: 'h2-2' } });
    expect(round.plan?.budgets[0]).toMatchObject({ previousBytes: 300 * MiB, budgetBytes: 500 * MiB });
    expect((await host.desired())['a']).toMatchObject({ budgetBytes: 500 * MiB, epoch: 5, plan: 'h2-2' });
  });

  it('gives up after some attempts, and does not overwrite', async () => {
    const host = await FakeHost.open(bus, 'h3', 1024 * MiB);
    await host.report({ a: { leasedBytes: 400 * MiB } });
    let other = 100;
    const always = interrupted(
      () => true,
      () => {
        other += 1;
        return state.desired.put('h3.a', budget(other, 4));
      },
    );
    expect(await planHost(parts(always), 'h3', leading(5))).toMatchObject({
      outcome: 'conflict',
      plan: null,
      written: 0,
      refused: 'someone else wrote h3.a, 3 times in a row',
    });
    expect(await host.budgets()).toEqual({ a: 103 });
  });

  it('makes no increase after a decrease that was refused', async () => {
    const host = await FakeHost.open(bus, 'h4', 1024 * MiB);
    await host.report({ a: { leasedBytes: 640 * MiB }, b: {} });
    await planHost(parts(), 'h4', leading(1));
    expect(await host.budgets()).toEqual({ a: 800, b: 64 });
    await pause();
    await host.report({ a: {}, b: { leasedBytes: 600 * MiB } });
    const settled = { ...parts().policy, settleMs: 0 };
    const always = interrupted(
      () => true,
      () => state.desired.put('h4.a', budget(800, 1)),
    );
    const round = await planHost({ ...parts(always), policy: settled }, 'h4', leading(1));
    expect(round.outcome).toBe('conflict');
    expect(await host.budgets()).toEqual({ a: 800, b: 64 });
  });

  it('leaves budgets of a newer leader alone', async () => {
    const host = await FakeHost.open(bus, 'h5', 1024 * MiB);
    await host.report({ a: { leasedBytes: 400 * MiB }, b: {} });
    await state.desired.put('h5.b', budget(64, 9));
    expect((await planHost(parts(), 'h5', leading(8))).outcome).toBe('lost');
    expect(await host.budgets()).toEqual({ b: 64 });
    expect((await planHost(parts(), 'h5', leading(9))).outcome).toBe('written');
  });

  it('stops between two writes when its leadership is over', async () => {
    const host = await FakeHost.open(bus, 'h6', 1024 * MiB);
    await host.report({ a: {}, b: {}, c: {} });
    let asked = 0;
    const isLeading = () => {
      asked += 1;
      return asked <= 2;
    };
    expect((await planHost(parts(), 'h6', { epoch: 1, isLeading })).outcome).toBe('lost');
    expect(await host.budgets()).toEqual({ a: 64, b: 64 });
  });

  it('knows nothing of a host that never reported', async () => {
    expect((await planHost(parts(), 'h7', leading(1))).outcome).toBe('unknown');
  });
});
