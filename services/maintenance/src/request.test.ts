/** Jobs that somebody asks for, on a real NATS server and with an agent that the test speaks for. */
import { runJob } from '@nautilus/contracts';
import { manualClock } from '@nautilus/kit';
import { describe, expect, vi } from 'vitest';
import { serveAgent } from './testing/fake-agent.ts';
import { at, it, metric, waiting } from './testing/stage.ts';

describe.concurrent('a job on request', () => {
  it('answers when it is done, with its report, and is recorded, published and counted', async ({
    stage,
  }) => {
    const agent = await serveAgent(stage.bus, 'h1');
    const maintenance = await stage.start();
    const run = await stage.bus.request(runJob, {}, { job: 'clean-up', host: 'h1' });
    expect(run).toMatchObject({
      job: 'clean-up',
      host: 'h1',
      trigger: 'request',
      outcome: 'done',
      reason: null,
    });
    expect(run.report).toMatchObject({ dryRun: false, reclaimedBytes: 1024, expiredLeases: 1 });
    expect(agent.calls).toEqual([{ dryRun: false }]);
    await vi.waitFor(() => expect(stage.finished).toEqual([run]), waiting);
    expect((await stage.record('h1'))?.lastRun).toEqual(run);
    expect(await metric(maintenance, 'nautilus_memory_job_runs_total{job="clean-up",outcome="done"}')).toBe(
      1,
    );
    expect(await metric(maintenance, 'nautilus_memory_job_reclaimed_bytes_total{job="clean-up"}')).toBe(1024);
    expect(await metric(maintenance, 'nautilus_memory_job_duration_seconds_count{job="clean-up"}')).toBe(1);
    const ready = await fetch(`http://127.0.0.1:${maintenance.port}/readyz`);
    expect(ready.status).toBe(200);
  });

  it('passes a dry run on, and counts no bytes for it', async ({ stage }) => {
    const agent = await serveAgent(stage.bus, 'h1');
    const maintenance = await stage.start();
    const run = await stage.bus.request(runJob, {}, { job: 'clean-up', host: 'h1', dryRun: true });
    expect([run.outcome, run.report?.['dryRun'], agent.calls]).toEqual(['done', true, [{ dryRun: true }]]);
    expect(await metric(maintenance, 'nautilus_memory_job_reclaimed_bytes_total{job="clean-up"}')).toBeNull();
  });

  it('says that no agent answers, and makes no ledger for a host that nobody knows', async ({ stage }) => {
    await stage.start();
    const run = await stage.bus.request(runJob, {}, { job: 'clean-up', host: 'nowhere' });
    expect(run).toMatchObject({ outcome: 'failed', reason: expect.stringMatching(/^unavailable: /) });
    expect(await stage.record('nowhere')).toBeUndefined();
  });

  it('refuses a job that is not registered', async ({ stage }) => {
    await stage.start();
    await expect(stage.bus.request(runJob, {}, { job: 'tidy', host: 'h1' })).rejects.toMatchObject({
      code: 'unknown_job',
      message: expect.stringContaining('there are clean-up'),
    });
  });

  it('decides no slot of the calendar', async ({ stage }) => {
    await serveAgent(stage.bus, 'h1');
    await stage.rememberSlot('h1', at('2026-11-20T02:00'));
    await stage.start({}, manualClock(at('2026-11-20T12:00')));
    const run = await stage.bus.request(runJob, {}, { job: 'clean-up', host: 'h1' });
    expect(await stage.record('h1')).toMatchObject({ lastSlot: at('2026-11-20T02:00'), lastRun: run });
  });
});
