/** The work queue on a real NATS server: nothing twice, nothing side by side, nothing given up too early. */
import { type JobRequest, jobRequested } from '@nautilus/contracts';
import { manualClock } from '@nautilus/kit';
import { describe, expect, vi } from 'vitest';
import { type FakeAgent, serveAgent } from './testing/fake-agent.ts';
import { advanceUntil, at, it, leads, metric, pause, type Stage, waiting } from './testing/stage.ts';

describe.concurrent('the queue', () => {
  const order: JobRequest = {
    run: 'clean-up:h1:1',
    job: 'clean-up',
    host: 'h1',
    slot: at('2026-11-20T02:00'),
    trigger: 'schedule',
    dryRun: false,
    epoch: 1,
  };
  const enqueue = (stage: Stage, messageId: string) =>
    stage.bus.publishDurable(jobRequested, { host: 'h1', topic: 'clean-up' }, order, { messageId });

  it('never runs a slot twice, also when it is there twice', async ({ stage }) => {
    const agent = await serveAgent(stage.bus, 'h1', 200);
    await stage.rememberSlot('h1', at('2026-11-19T02:00'));
    const maintenance = await stage.start({}, manualClock(at('2026-11-20T12:00')));
    await leads(maintenance);
    // At once, so that two workers hold the same slot at the same time; and once more afterwards.
    await Promise.all([enqueue(stage, 'one'), enqueue(stage, 'two')]);
    await vi.waitFor(() => expect(stage.finished).toHaveLength(1), waiting);
    await enqueue(stage, 'three');
    await pause(1_000);
    expect(agent.calls).toHaveLength(1);
    expect(stage.finished).toHaveLength(1);
    // All three are gone from the queue: the stats count what was handled.
    expect(await metric(maintenance, 'nautilus_memory_bus_operations_total{operation="handled"}')).toBe(3);
  });

  it('works for different slots of one host one after the other', async ({ stage }) => {
    const agent = await serveAgent(stage.bus, 'h1', 100);
    await leads(await stage.start({}, manualClock(at('2026-11-20T12:00'))));
    for (const hours of [1, 2, 3]) {
      const slot = order.slot + hours * 3_600_000;
      const next = { ...order, slot, run: `clean-up:h1:${slot}` };
      await stage.bus.publishDurable(jobRequested, { host: 'h1', topic: 'clean-up' }, next, {
        messageId: next.run,
      });
    }
    await vi.waitFor(() => expect(stage.finished).toHaveLength(3), waiting);
    expect([agent.calls.length, agent.most]).toEqual([3, 1]);
  });

  it('tries again while no agent answers, and is done when one does', async ({ stage }) => {
    const clock = manualClock(at('2026-11-20T12:00'));
    await leads(await stage.start({}, clock));
    await enqueue(stage, 'one');
    await pause(300);
    expect(stage.finished).toEqual([]);
    const agent: FakeAgent = await serveAgent(stage.bus, 'h1');
    await advanceUntil(clock, 1_000, () =>
      expect(stage.finished.map(({ outcome }) => outcome)).toEqual(['done']),
    );
    expect(agent.calls).toHaveLength(1);
  });

  it('records a failure with its reason after the last attempt, and does not try for ever', async ({
    stage,
  }) => {
    const clock = manualClock(at('2026-11-20T12:00'));
    const maintenance = await stage.start({}, clock);
    await leads(maintenance);
    await enqueue(stage, 'one');
    await advanceUntil(clock, 5_000, () =>
      expect(stage.finished.map(({ outcome }) => outcome)).toEqual(['failed']),
    );
    const stored = await stage.record('h1');
    expect(stored).toMatchObject({ lastSlot: order.slot, lastRun: { outcome: 'failed', run: order.run } });
    expect(stored?.lastRun.reason).toMatch(/^unavailable: /);
    expect(await metric(maintenance, 'nautilus_memory_bus_operations_total{operation="handled"}')).toBe(4);
    expect(await metric(maintenance, 'nautilus_memory_job_runs_total{job="clean-up",outcome="failed"}')).toBe(
      1,
    );
  });
  it('finishes what it has begun before it stops', async ({ stage }) => {
    const agent = await serveAgent(stage.bus, 'h1', 700);
    const maintenance = await stage.start({}, manualClock(at('2026-11-20T12:00')));
    await leads(maintenance);
    await enqueue(stage, 'one');
    await vi.waitFor(() => expect(agent.calls).toHaveLength(1), waiting);
    await stage.stop(maintenance);
    expect(stage.finished.map(({ outcome }) => outcome)).toEqual(['done']);
    expect((await stage.record('h1'))?.lastSlot).toBe(order.slot);
  });
});
