/** The calendar on a real NATS server while a host is short of memory, and while a job keeps failing. */
import { endpoint, type ServedService } from '@nautilus/bus';
import {
  type AlertBody,
  cleanUpMemory,
  fail,
  listAlerts,
  memoryPressure,
  ok,
  runJob,
} from '@nautilus/contracts';
import { manualClock } from '@nautilus/kit';
import { describe, expect, vi } from 'vitest';
import { appear, serveAgent } from './testing/fake-agent.ts';
import { advanceUntil, at, it, leads, pause, type Stage, waiting } from './testing/stage.ts';

const full: AlertBody = {
  alert: 'h1-host-1',
  host: 'h1',
  signal: 'memory-pressure',
  scope: { kind: 'host', name: 'h1' },
  state: 'raised',
  tier: 'emergency',
  previousTier: 'critical',
  value: 0.97,
  threshold: 0.95,
  at: at('2026-11-20T01:58'),
  text: 'host h1 is 97 % full',
  runbook: 'emergency',
};

/** What a monitor lists, as long as a test keeps it in the list. */
function serveMonitor(stage: Stage, alerts: AlertBody[]): Promise<ServedService> {
  return stage.bus.serve({
    name: 'monitor',
    version: '0.1.0',
    endpoints: [endpoint({ contract: listAlerts, handle: async () => ok({ alerts: [...alerts] }) })],
  });
}

function publish(stage: Stage, alert: AlertBody): void {
  stage.bus.publish(memoryPressure, { host: 'h1', party: alert.tier, topic: 'memory-pressure' }, alert);
}

describe.concurrent('an emergency', () => {
  it('lets no job begin, and the slot is run late when it is over', async ({ stage }) => {
    const alerts = [full];
    await serveMonitor(stage, alerts);
    await appear(stage.bus, 'h1');
    const agent = await serveAgent(stage.bus, 'h1');
    await stage.rememberSlot('h1', at('2026-11-19T02:00'));
    const clock = manualClock(at('2026-11-20T02:00'));
    await leads(await stage.start({}, clock));
    for (let looks = 0; looks < 5; looks += 1) {
      await clock.advance(30_000);
      await pause(50);
    }
    expect([agent.calls.length, stage.finished.length]).toEqual([0, 0]);
    alerts.length = 0;
    await advanceUntil(clock, 10_000, () =>
      expect(stage.outcomes()).toEqual([['2026-11-20T02:00', 'catch-up', 'done']]),
    );
    expect(agent.calls).toHaveLength(1);
  });

  it('breaks off what has begun, and the ledger says why', async ({ stage }) => {
    await appear(stage.bus, 'h1');
    const agent = await serveAgent(stage.bus, 'h1', 3_000);
    await stage.rememberSlot('h1', at('2026-11-19T02:00'));
    await stage.start({}, manualClock(at('2026-11-20T02:00')));
    await vi.waitFor(() => expect(agent.calls).toHaveLength(1), waiting);
    const raisedAt = performance.now();
    publish(stage, full);
    await vi.waitFor(() => expect(stage.finished).toHaveLength(1), waiting);
    // Well before the agent would have answered.
    expect(performance.now() - raisedAt).toBeLessThan(2_000);
    const ending = { slot: at('2026-11-20T02:00'), outcome: 'skipped' };
    expect(stage.finished[0]).toMatchObject({
      ...ending,
      reason: 'broken off, what was done stands, emergency: host h1 is 97 % full',
    });
    expect((await stage.record('h1'))?.endings).toMatchObject([ending]);
  });

  it('refuses a job on request except a dry run, and ends with a step down', async ({ stage }) => {
    const agent = await serveAgent(stage.bus, 'h1');
    await stage.start({}, manualClock(at('2026-11-20T12:00')));
    publish(stage, full);
    const ask = (dryRun: boolean) => stage.bus.request(runJob, {}, { job: 'clean-up', host: 'h1', dryRun });
    await vi.waitFor(
      async () =>
        expect(await ask(false)).toMatchObject({
          outcome: 'skipped',
          reason: 'not begun, emergency: host h1 is 97 % full',
        }),
      waiting,
    );
    expect(await ask(true)).toMatchObject({ outcome: 'done' });
    publish(stage, { ...full, state: 'lowered', tier: 'critical', previousTier: 'emergency' });
    await vi.waitFor(async () => expect(await ask(false)).toMatchObject({ outcome: 'done' }), waiting);
    expect(agent.calls.at(-1)).toEqual({ dryRun: false });
  });
});

describe.concurrent('a job that keeps failing', () => {
  it('is paused, says so for every slot, and goes on after a run on request', async ({ stage }) => {
    let isBroken = true;
    let calls = 0;
    const figures = { leases: 0, leasedBytes: 0, journalBytes: 0 };
    await stage.bus.serve({
      name: 'agent',
      version: '0.1.0',
      endpoints: [
        endpoint({
          contract: cleanUpMemory,
          host: 'h1',
          party: 'agent',
          handle: async () => {
            calls += 1;
            if (isBroken) return fail('internal', 'the journal cannot be shortened');
            return ok({
              dryRun: false,
              before: figures,
              after: figures,
              expiredLeases: 0,
              reclaimedBytes: 0,
            });
          },
        }),
      ],
    });
    await appear(stage.bus, 'h1');
    await stage.rememberSlot('h1', at('2026-11-20T02:00'));
    const clock = manualClock(at('2026-11-20T12:00'));
    await leads(await stage.start({ clean_up: '* * * * *', pause_after: 2 }, clock));
    await advanceUntil(clock, 20_000, async () => expect((await stage.record('h1'))?.failuresInRow).toBe(2));
    const callsBefore = calls;
    await advanceUntil(clock, 20_000, async () => {
      const newest = (await stage.record('h1'))?.endings.at(-1);
      expect(newest?.reason).toMatch(/^paused after 2 failures in a row; /);
    });
    expect(calls).toBe(callsBefore);
    isBroken = false;
    expect(await stage.bus.request(runJob, {}, { job: 'clean-up', host: 'h1' })).toMatchObject({
      outcome: 'done',
    });
    await advanceUntil(clock, 20_000, async () => {
      const stored = await stage.record('h1');
      expect([stored?.failuresInRow, stored?.endings.at(-1)?.outcome]).toEqual([0, 'done']);
    });
  });
});
