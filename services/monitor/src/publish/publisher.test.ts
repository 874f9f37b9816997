/** The telling of alerts when the stream fails and leadership changes, on a clock that a test moves. */
import type { Bus, LeaderLease } from '@nautilus/bus';
import { type ErrorCode, NautilusError } from '@nautilus/contracts';
import { createLogger, type ManualClock, manualClock } from '@nautilus/kit';
import { describe, expect, it } from 'vitest';
import { announcementOf } from '../testing/announcement.ts';
import { outboxLimits } from './outbox.ts';
import { AlertPublisher } from './publisher.ts';

/** A stream that fails as it is told, and a lease that a test hands over. NATS itself is in monitor.test.ts. */
function stage(clock: ManualClock) {
  const stored: string[] = [];
  const failures: ErrorCode[] = [];
  let attempts = 0;
  let streams = 0;
  const leading = new AbortController();
  let begin: (() => Promise<void>) | null = null;
  const state = { isLeading: false };
  const bus: Pick<Bus, 'publishDurable' | 'ensureStream'> = {
    publishDurable: (_contract, _at, _body, { messageId }) => {
      attempts += 1;
      const code = failures.shift();
      if (code !== undefined) return Promise.reject(new NautilusError({ code, message: code }));
      stored.push(messageId);
      return Promise.resolve({ sequence: stored.length, duplicate: false });
    },
    ensureStream: () => {
      streams += 1;
      return Promise.resolve();
    },
  };
  const lease: LeaderLease = {
    get leading() {
      return state.isLeading;
    },
    epoch: null,
    run: (work) => {
      begin = () => work(1, leading.signal);
      return Promise.resolve();
    },
    release: () => Promise.resolve(),
  };
  const publisher = new AlertPublisher({
    bus: bus as Bus,
    lease,
    clock,
    log: createLogger({ name: 'test', level: 'silent' }),
    random: () => 0,
    raised: () => [],
  });
  return {
    publisher,
    stored,
    fail: (...codes: ErrorCode[]) => failures.push(...codes),
    get attempts() {
      return attempts;
    },
    get streams() {
      return streams;
    },
    async lead() {
      await publisher.run(leading.signal);
      state.isLeading = true;
      const work = begin?.();
      await clock.advance(0);
      return {
        async end() {
          state.isLeading = false;
          leading.abort();
          await work;
        },
      };
    },
  };
}

const some = (...ids: string[]) => ids.map((id) => announcementOf(id));

describe('the publisher of alerts', () => {
  it('tells nothing before it leads, and then what it kept, in order', async () => {
    const clock = manualClock();
    const world = stage(clock);
    world.publisher.offer(some('a', 'b'));
    await clock.advance(60_000);
    expect(world.stored).toEqual([]);
    const term = await world.lead();
    await clock.advance(0);
    expect(world.stored).toEqual(['a', 'b']);
    world.publisher.offer(some('c'));
    await clock.advance(0);
    expect(world.stored).toEqual(['a', 'b', 'c']);
    await term.end();
  });

  it('makes what it kept its own: a new leader goes on trying when the others would have forgotten', async () => {
    const clock = manualClock();
    const world = stage(clock);
    world.publisher.offer(some('a'));
    world.fail(...Array.from({ length: 60 }, () => 'unavailable' as const));
    const term = await world.lead();
    await clock.advance(outboxLimits.followedMs + 1);
    expect(world.stored).toEqual([]);
    await clock.advance(outboxLimits.oursMs / 2);
    expect(world.stored).toEqual(['a']);
    await term.end();
  });

  it('does not tell what an earlier leader must have told minutes ago', async () => {
    const clock = manualClock();
    const world = stage(clock);
    world.publisher.offer(some('old'));
    await clock.advance(outboxLimits.followedMs + 1);
    const term = await world.lead();
    await clock.advance(0);
    expect(world.stored).toEqual([]);
    expect(world.publisher.stats.alertsLost).toBe(0);
    await term.end();
  });

  it('tries again with growing pauses, makes the stream anew, and lets nothing overtake', async () => {
    const clock = manualClock();
    const world = stage(clock);
    const term = await world.lead();
    world.fail('unavailable', 'timeout', 'unavailable', 'unavailable');
    world.publisher.offer(some('a', 'b'));
    await clock.advance(0);
    expect(world.attempts).toBe(1);
    await clock.advance(100);
    expect(world.attempts).toBe(2);
    await clock.advance(199);
    expect(world.attempts).toBe(2);
    await clock.advance(1);
    expect(world.attempts).toBe(3);
    await clock.advance(10_000);
    expect(world.stored).toEqual(['a', 'b']);
    expect(world.streams).toBe(4);
    expect(world.publisher.stats).toEqual({ alertPublishFailures: 4, alertsLost: 0 });
    await term.end();
  });

  it('gives up what cannot succeed after three attempts, counts it, and goes on', async () => {
    const clock = manualClock();
    const world = stage(clock);
    const term = await world.lead();
    world.fail('permission_denied', 'permission_denied', 'permission_denied');
    world.publisher.offer(some('a', 'b'));
    await clock.advance(60_000);
    expect(world.stored).toEqual(['b']);
    expect(world.publisher.stats).toEqual({ alertPublishFailures: 3, alertsLost: 1 });
    await term.end();
  });

  it('counts as lost what stayed untold for too long', async () => {
    const clock = manualClock();
    const world = stage(clock);
    const term = await world.lead();
    world.fail(...Array.from({ length: 1_000 }, () => 'unavailable' as const));
    world.publisher.offer(some('a'));
    await clock.advance(outboxLimits.oursMs + 10_000);
    expect(world.publisher.stats.alertsLost).toBe(1);
    expect(world.attempts).toBeLessThan(1_000);
    await term.end();
  });

  it('calls lost at the end what it led with and never told, and nothing else', async () => {
    const clock = manualClock();
    const world = stage(clock);
    world.publisher.offer(some('seen'));
    world.publisher.close();
    expect(world.publisher.stats.alertsLost).toBe(0);
    const term = await world.lead();
    world.fail('unavailable');
    world.publisher.offer(some('a', 'b'));
    await clock.advance(0);
    await term.end();
    world.publisher.close();
    expect(world.stored).toEqual([]);
    expect(world.publisher.stats.alertsLost).toBe(2);
  });

  it('flushes: resolves when everything is told, at once when another leads', async () => {
    const clock = manualClock();
    const world = stage(clock);
    world.publisher.offer(some('a'));
    await world.publisher.flush();
    expect(world.stored).toEqual([]);
    world.fail('unavailable');
    const term = await world.lead();
    const flushed = world.publisher.flush();
    await clock.advance(1_000);
    await flushed;
    expect(world.stored).toEqual(['a']);
    await term.end();
  });
});
