/** The calendar on a real NATS server: slots, restarts, jumps of the clock, two instances. */
import { listJobs, runJob } from '@nautilus/contracts';
import { manualClock } from '@nautilus/kit';
import { describe, expect, vi } from 'vitest';
import { appear, serveAgent } from './testing/fake-agent.ts';
import { advanceUntil, at, it, leads, metric, pause, waiting } from './testing/stage.ts';

describe.concurrent('the calendar', () => {
  it('runs every slot once, at its time', async ({ stage }) => {
    await appear(stage.bus, 'h1');
    const agent = await serveAgent(stage.bus, 'h1');
    await stage.start({ clean_up: '* * * * * *' });
    await vi.waitFor(() => expect(stage.finished.length).toBeGreaterThanOrEqual(3), waiting);
    const slots = stage.finished.map(({ slot }) => slot);
    expect(new Set(slots).size).toBe(slots.length);
    expect(agent.calls.length).toBeGreaterThanOrEqual(slots.length);
    for (const { slot, trigger, outcome, startedAt } of stage.finished) {
      expect([slot % 1000, trigger, outcome]).toEqual([0, 'schedule', 'done']);
      expect(startedAt).toBeGreaterThanOrEqual(slot);
      expect(startedAt - slot).toBeLessThan(1_500);
    }
    expect((await stage.record('h1'))?.lastSlot).toBeGreaterThanOrEqual(slots.at(-1) ?? Number.NaN);
  });

  it('begins with a new host without running what lies behind, and runs what comes', async ({ stage }) => {
    const clock = manualClock(at('2026-11-20T01:59'));
    await appear(stage.bus, 'h1');
    const agent = await serveAgent(stage.bus, 'h1');
    await stage.start({}, clock);
    await vi.waitFor(
      async () => expect((await stage.record('h1'))?.lastRun.outcome).toBe('skipped'),
      waiting,
    );
    expect(agent.calls).toEqual([]);
    await advanceUntil(clock, 10_000, () =>
      expect(stage.outcomes()).toEqual([['2026-11-20T02:00', 'schedule', 'done']]),
    );
    expect(agent.calls).toHaveLength(1);
  });

  it('catches up once after it was away, records what it skips, and not again after a restart', async ({
    stage,
  }) => {
    await appear(stage.bus, 'h1');
    const agent = await serveAgent(stage.bus, 'h1');
    await stage.rememberSlot('h1', at('2026-11-17T02:00'));
    const first = await stage.start({}, manualClock(at('2026-11-20T05:00')));
    await vi.waitFor(() => {
      expect(stage.outcomes()).toEqual([
        ['2026-11-18T02:00', 'schedule', 'skipped'],
        ['2026-11-19T02:00', 'schedule', 'skipped'],
        ['2026-11-20T02:00', 'catch-up', 'done'],
      ]);
    }, waiting);
    expect(await metric(first, 'nautilus_memory_job_runs_total{job="clean-up",outcome="skipped"}')).toBe(2);
    await stage.stop(first);
    const again = manualClock(at('2026-11-20T06:00'));
    const second = await stage.start({}, again);
    await leads(second);
    for (let looks = 0; looks < 5; looks += 1) {
      await again.advance(30_000);
      await pause(50);
    }
    expect(agent.calls).toHaveLength(1);
    expect(stage.finished).toHaveLength(3);
    expect((await stage.record('h1'))?.lastSlot).toBe(at('2026-11-20T02:00'));
  });

  it('skips a slot that is older than the window, and says so', async ({ stage }) => {
    await appear(stage.bus, 'h1');
    const agent = await serveAgent(stage.bus, 'h1');
    await stage.rememberSlot('h1', at('2026-11-19T02:00'));
    await stage.start({ catch_up: '2h' }, manualClock(at('2026-11-20T05:00')));
    await vi.waitFor(
      () => expect(stage.outcomes()).toEqual([['2026-11-20T02:00', 'schedule', 'skipped']]),
      waiting,
    );
    expect((await stage.record('h1'))?.lastRun.reason).toBe('missed by 3h, longer than 2h');
    expect(agent.calls).toEqual([]);
  });

  it('notices within 30 s that the clock has jumped', async ({ stage }) => {
    await appear(stage.bus, 'h1');
    await serveAgent(stage.bus, 'h1');
    await stage.rememberSlot('h1', at('2026-11-20T02:00'));
    const slow = manualClock(at('2026-11-20T03:00'));
    let jumpMs = 0;
    await stage.start({}, { ...slow, now: () => slow.now() + jumpMs });
    await advanceUntil(slow, 100, () => {
      expect(slow.pending).toBeGreaterThan(0);
    });
    await pause(300);
    expect(stage.finished).toEqual([]);
    // A laptop that slept for a day: the wall clock moved, the timers did not.
    jumpMs = 86_400_000;
    await slow.advance(30_000);
    await vi.waitFor(
      () => expect(stage.outcomes()).toEqual([['2026-11-21T02:00', 'catch-up', 'done']]),
      waiting,
    );
  });

  it('is shown with its next slot and the last runs', async ({ stage }) => {
    await appear(stage.bus, 'h1');
    await serveAgent(stage.bus, 'h1');
    await stage.rememberSlot('h1', at('2026-11-20T01:00'));
    await stage.start({ timezone: 'Europe/Berlin' }, manualClock(at('2026-11-20T12:00')));
    await stage.bus.request(runJob, {}, { job: 'clean-up', host: 'h1' });
    const { jobs, runs } = await stage.bus.request(listJobs, {}, {});
    expect(jobs).toEqual([
      {
        job: 'clean-up',
        summary: 'Collects expired and orphaned leases and compacts the journal of the agent.',
        schedule: '0 2 * * *',
        timezone: 'Europe/Berlin',
        nextAt: at('2026-11-21T01:00'),
      },
    ]);
    expect(runs.map(({ host, trigger, outcome }) => [host, trigger, outcome])).toEqual([
      ['h1', 'request', 'done'],
    ]);
  });

  it('refuses to start with a pattern that means nothing, and names the key', async ({ stage }) => {
    await expect(stage.start({ clean_up: 'at night' })).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('maintenance.clean_up: "at night" in time zone "UTC"'),
    });
  });
});

describe.concurrent('two instances', () => {
  it('one keeps the calendar; when it stops the other goes on, and no slot is run twice', async ({
    stage,
  }) => {
    await appear(stage.bus, 'h1');
    const agent = await serveAgent(stage.bus, 'h1');
    const first = await stage.start({ clean_up: '* * * * * *' });
    await leads(first);
    const second = await stage.start({ clean_up: '* * * * * *' });
    expect(await metric(second, 'nautilus_memory_leader{service="maintenance"}')).toBe(0);
    await vi.waitFor(() => expect(stage.finished.length).toBeGreaterThanOrEqual(1), waiting);
    await stage.stop(first);
    const before = stage.finished.length;
    await leads(second);
    await vi.waitFor(() => expect(stage.finished.length).toBeGreaterThanOrEqual(before + 2), waiting);
    await stage.stop(second);
    const done = stage.finished.filter(({ outcome }) => outcome === 'done').map(({ slot }) => slot);
    expect(new Set(done).size).toBe(done.length);
    expect(agent.calls).toHaveLength(done.length);
  });
});
