/** M16: one leader, found again when it dies, and harmless when it comes back late. */
import { fail, ok, releaseMemory } from '@nautilus/contracts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Bus } from './bus.ts';
import type { Clock } from './clock.ts';
import { endpoint } from './serve.ts';
import { type Child, startFixture } from './testing/child.ts';
import { shortLease } from './testing/lease-bucket.ts';
import { type NatsServer, startNats } from './testing/nats-server.ts';
import { eventually, testBus } from './testing/setup.ts';

let nats: NatsServer;
let bus: Bus;
const children: Child[] = [];

beforeEach(async () => {
  nats = await startNats({ jetstream: true });
  bus = await testBus(nats, 'observer');
});
afterEach(async () => {
  for (const child of children.splice(0)) await child.kill();
  await bus.close();
  await nats[Symbol.asyncDispose]();
});

/** An agent: obeys the largest epoch that it has seen, refuses a smaller one. */
async function serveAgent() {
  const obeyed: { epoch: number; holder: string }[] = [];
  const refused: { epoch: number; holder: string }[] = [];
  let largest = 0;
  await bus.serve({
    name: 'agent',
    version: '1.0.0',
    endpoints: [
      endpoint({
        contract: releaseMemory,
        host: 'h1',
        party: 'c',
        handle: (body, { epoch }) => {
          const command = { epoch: epoch ?? 0, holder: body.reason };
          if (command.epoch < largest) {
            refused.push(command);
            return fail('stale_epoch', `epoch ${command.epoch}, seen ${largest}`);
          }
          largest = command.epoch;
          obeyed.push(command);
          return ok({ releasedBytes: 0 });
        },
      }),
    ],
  });
  return { obeyed, refused };
}

function candidate(name: string): Child {
  const child = startFixture('leader', nats.url, name);
  children.push(child);
  return child;
}

function epochOf(line: string): number {
  return Number(line.split(' ')[1]);
}

describe('M16 leadership', () => {
  test('after kill -9 of the leader another leads in less than the time to live + 1 s', async () => {
    const agent = await serveAgent();
    const first = candidate('first');
    const old = epochOf(await first.line(/^leading/));
    const second = candidate('second');
    await second.line(/^campaigning/);
    const killedAt = performance.now();
    await first.kill();
    const next = epochOf(await second.line(/^leading/));
    expect(performance.now() - killedAt).toBeLessThan(shortLease.ttlMs + 1_000);
    expect(next).toBeGreaterThan(old);
    await eventually('the new leader is obeyed', () => agent.obeyed.some((each) => each.holder === 'second'));
    expect(agent.refused).toEqual([]);
  });

  test('a leader that was stopped for twice the time to live commands in vain, and knows at once', async () => {
    const agent = await serveAgent();
    const first = candidate('first');
    const old = epochOf(await first.line(/^leading/));
    const second = candidate('second');
    await second.line(/^campaigning/);
    first.signal('SIGSTOP');
    const next = epochOf(await second.line(/^leading/));
    await eventually('the new leader is obeyed', () => agent.obeyed.some((each) => each.holder === 'second'));
    await new Promise((resolve) => setTimeout(resolve, shortLease.ttlMs));
    const obeyedBefore = agent.obeyed.length;
    first.signal('SIGCONT');
    await first.line(/^lost/, 1_000);
    expect(await first.line(/^late/)).toBe(`late ${old} stale_epoch`);
    await second.kill();
    const after = agent.obeyed.slice(obeyedBefore);
    // What it had on the way when it was stopped is refused by the epoch; the agent never goes back.
    expect(after.filter((each) => each.epoch < next)).toEqual([]);
    expect(agent.refused.length).toBeGreaterThan(0);
    for (const late of agent.refused) expect(late).toEqual({ epoch: old, holder: 'first' });
  });

  test('epochs go on growing when the server lost its store', async () => {
    const lead = async (name: string): Promise<number> => {
      const each = await testBus(nats, name);
      const stop = new AbortController();
      const epoch = await new Promise<number>((resolve, reject) => {
        const lease = each.leaderLease({ service: 'test', holder: name, bucket: shortLease });
        lease
          .run((led) => {
            resolve(led);
            stop.abort();
            return Promise.resolve();
          }, stop.signal)
          .catch(reject);
      });
      await each.close();
      return epoch;
    };
    const before = await lead('before');
    const again = await lead('again');
    // Two buckets of one second are told apart by nothing but their revisions.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await nats.restart({ keepStore: false });
    const after = await lead('after');
    expect(again).toBeGreaterThan(before);
    expect(after).toBeGreaterThan(again);
    expect(Number.isSafeInteger(after)).toBe(true);
  });

  test('a late command with an older epoch is refused as stale', async () => {
    await serveAgent();
    const command = { degree: 'trim' as const, bytes: 1, reason: 'x' };
    const at = { host: 'h1', party: 'c' };
    await bus.request(releaseMemory, at, command, { epoch: 9 });
    await expect(bus.request(releaseMemory, at, command, { epoch: 8 })).rejects.toMatchObject({
      code: 'stale_epoch',
    });
  });

  test('one leads at a time, a release passes it on within a poll, epochs only grow', async () => {
    const stop = new AbortController();
    const led: { holder: string; epoch: number }[] = [];
    let leaders = 0;
    const buses = await Promise.all(['a', 'b', 'c'].map((name) => testBus(nats, name)));
    const leases = buses.map((each, index) =>
      each.leaderLease({ service: 'test', holder: `candidate-${index}`, bucket: shortLease }),
    );
    const runs = leases.map((lease, index) =>
      lease.run(async (epoch, signal) => {
        leaders += 1;
        expect(leaders).toBe(1);
        expect(lease.leading).toBe(true);
        expect(lease.epoch).toBe(epoch);
        led.push({ holder: `candidate-${index}`, epoch });
        await new Promise<void>((resolve) =>
          signal.addEventListener('abort', () => resolve(), { once: true }),
        );
        leaders -= 1;
      }, stop.signal),
    );
    for (let round = 1; round <= 4; round += 1) {
      await eventually('a leader', () => led.length === round && leaders === 1);
      const releasedAt = performance.now();
      const leading = leases.find((lease) => lease.leading);
      if (round === 4) break;
      await leading?.release();
      expect(leading?.leading).toBe(false);
      expect(leading?.epoch).toBeNull();
      await eventually('the next leader', () => led.length === round + 1);
      expect(performance.now() - releasedAt).toBeLessThan(1_000);
    }
    stop.abort();
    await Promise.all(runs);
    expect(leases.some((lease) => lease.leading)).toBe(false);
    const epochs = led.map((each) => each.epoch);
    expect(epochs).toEqual([...epochs].sort((a, b) => a - b));
    expect(new Set(epochs).size).toBe(epochs.length);
    for (const each of buses) await each.close();
  });

  test('a leader renews beyond the time to live, and stops by its own clock when the server is gone', async () => {
    const stop = new AbortController();
    const lease = bus.leaderLease({ service: 'test', holder: 'alone', bucket: shortLease });
    let workEndedAt = 0;
    let epoch = 0;
    const run = lease.run(async (found, signal) => {
      epoch = found;
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      workEndedAt ||= performance.now();
    }, stop.signal);
    await eventually('leading', () => lease.leading);
    await new Promise((resolve) => setTimeout(resolve, shortLease.ttlMs * 1.5));
    expect(lease.epoch).toBe(epoch);
    nats.pause();
    const pausedAt = performance.now();
    await eventually('the work is told', () => workEndedAt !== 0);
    expect(lease.leading).toBe(false);
    expect(workEndedAt - pausedAt).toBeLessThan(shortLease.ttlMs);
    nats.resume();
    stop.abort();
    await run;
  });

  test('leading is false the moment the monotonic deadline has passed', async () => {
    let ahead = 0;
    const clock: Clock = { now: () => Date.now(), monotonic: () => performance.now() + ahead };
    const stop = new AbortController();
    const lease = bus.leaderLease({ service: 'test', holder: 'slept', bucket: shortLease, clock });
    const run = lease.run(
      (_, signal) =>
        new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true })),
      stop.signal,
    );
    await eventually('leading', () => lease.leading);
    ahead = shortLease.ttlMs;
    expect(lease.leading).toBe(false);
    expect(lease.epoch).toBeNull();
    stop.abort();
    await run;
  });
});
