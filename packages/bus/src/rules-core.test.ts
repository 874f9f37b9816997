/** The measured rules of core NATS, M1–M6 and M11–M15: each test breaks when its rule is no longer kept. */
import { describeHost, leaseEnded, listAlerts, NautilusError, ok, releaseMemory } from '@nautilus/contracts';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Bus } from './bus.ts';
import { endpoint } from './serve.ts';
import { type NatsServer, startNats } from './testing/nats-server.ts';
import { eventually, recordingLog, testBus } from './testing/setup.ts';

let nats: NatsServer;
const open: Bus[] = [];

beforeAll(async () => {
  nats = await startNats();
});
afterEach(async () => {
  for (const bus of open.splice(0)) await bus.close();
});
afterAll(() => nats[Symbol.asyncDispose]());

async function bus(name: string, more = {}): Promise<Bus> {
  const made = await testBus(nats, name, more);
  open.push(made);
  return made;
}

const fact = {
  at: 1,
  segment: 's-00000001',
  container: 'c',
  pool: 'p',
  bytes: 1,
  reason: 'release' as const,
  lingeringBytes: 0,
};
const wait = (delayMs: number) => new Promise((resolve) => setTimeout(resolve, delayMs));
const ask = { degree: 'trim' as const, bytes: 1, reason: 'test' };
const releasing = (delayMs: number, host = 'h1') =>
  endpoint({
    contract: releaseMemory,
    host,
    party: 'c',
    handle: async (body) => {
      await wait(delayMs);
      return ok({ releasedBytes: body.bytes });
    },
  });
const codeOf = (error: unknown): string =>
  error instanceof NautilusError ? error.code : `not ours: ${error}`;

describe('core rules', () => {
  test('M1 what is published while the link is down is gone and counted, and a reconnect is announced', async () => {
    const own = await startNats();
    const sender = await testBus(own, 'sender');
    const receiver = await testBus(own, 'receiver');
    try {
      const bytes: number[] = [];
      await receiver.subscribe(leaseEnded, { host: 'h1' }, (body) => void bytes.push(body.bytes));
      let announced = 0;
      sender.onReconnect(() => {
        announced += 1;
        throw new Error('a callback that fails does not stop the next one');
      });
      sender.onReconnect(() => sender.publish(leaseEnded, { host: 'h1' }, { ...fact, bytes: 99 }));
      await own.stop();
      await eventually('the loss is seen', () => sender.state === 'disconnected');
      sender.publish(leaseEnded, { host: 'h1' }, fact);
      await expect(sender.request(listAlerts, {}, {})).rejects.toMatchObject({ code: 'unavailable' });
      const received = new Promise<void>((resolve) => receiver.onReconnect(resolve));
      await own.restart({ keepStore: true });
      await received;
      await eventually('the announcement', () => announced === 1 && sender.state === 'connected');
      // M5 again: the client says that it is back before the server has heard of its subscriptions.
      await receiver.flush();
      sender.publish(leaseEnded, { host: 'h1' }, { ...fact, bytes: 100 });
      await eventually('a message after the reconnect', () => bytes.includes(100));
      expect(bytes).not.toContain(1);
      expect(sender.stats).toMatchObject({ publishesDropped: 1, reconnects: 1 });
    } finally {
      await sender.close();
      await receiver.close();
      await own[Symbol.asyncDispose]();
    }
  });

  test('M2 drain resolves after the last handler, not before', async () => {
    const sender = await bus('m2-sender');
    const receiver = await bus('m2-receiver');
    let handled = 0;
    const subscription = await receiver.subscribe(leaseEnded, { host: 'm2' }, async () => {
      await wait(10);
      handled += 1;
    });
    for (let i = 0; i < 10; i += 1) sender.publish(leaseEnded, { host: 'm2' }, fact);
    await sender.flush();
    await receiver.flush();
    expect(handled).toBeLessThan(10);
    await subscription.drain();
    expect(handled).toBe(10);
  });

  test('M3 close answers everything that is queued and running', async () => {
    const server = await testBus(nats, 'm3-server');
    const client = await bus('m3-client');
    await server.serve({
      name: 'm3',
      version: '1.0.0',
      endpoints: [{ ...releasing(20, 'm3'), concurrency: 4 }],
    });
    const requests = Array.from({ length: 20 }, () =>
      client.request(releaseMemory, { host: 'm3', party: 'c' }, ask),
    );
    await client.flush();
    await server.close();
    await server.close();
    const replies = await Promise.all(requests);
    expect(replies).toHaveLength(20);
    expect(() => server.publish(leaseEnded, { host: 'm3' }, fact)).toThrow(
      expect.objectContaining({ code: 'draining' }),
    );
  });

  test('M4 a handler that throws is answered and counted', async () => {
    const log = recordingLog();
    const server = await bus('m4-server', { log });
    const client = await bus('m4-client');
    await server.serve({
      name: 'm4',
      version: '1.0.0',
      endpoints: [
        endpoint({
          contract: releaseMemory,
          host: 'm4',
          party: 'c',
          handle: () => Promise.reject(new Error('secret of the stack')),
        }),
      ],
    });
    const refusal = await client
      .request(releaseMemory, { host: 'm4', party: 'c' }, ask, { requestId: 'r-1' })
      .catch((error: unknown) => error);
    expect(codeOf(refusal)).toBe('internal');
    expect((refusal as Error).message).toContain('r-1');
    expect((refusal as Error).message).not.toContain('secret');
    expect(server.stats.handlerErrors).toBe(1);
    const line = log.lines.find((each) => each.message.includes('handler threw'));
    expect(line?.fields).toMatchObject({ requestId: 'r-1' });
    expect(String(line?.fields['error'])).toContain('secret of the stack');
  });

  test('M5 a service answers the first request after serve resolves', async () => {
    const client = await bus('m5-client');
    for (let i = 0; i < 10; i += 1) {
      const server = await testBus(nats, `m5-${i}`);
      await server.serve({ name: 'm5', version: '1.0.0', endpoints: [releasing(0, `m5-${i}`)] });
      const reply = await client.request(releaseMemory, { host: `m5-${i}`, party: 'c' }, ask);
      expect(reply.releasedBytes).toBe(1);
      await server.close();
    }
  });

  test('M6 nobody, too slow, cancelled and lost each have their code', async () => {
    const client = await bus('m6-client');
    const server = await bus('m6-server');
    await server.serve({ name: 'm6', version: '1.0.0', endpoints: [releasing(500, 'm6')] });
    const at = { host: 'm6', party: 'c' };
    await expect(client.request(releaseMemory, { host: 'nobody', party: 'c' }, ask)).rejects.toMatchObject({
      code: 'unavailable',
    });
    await expect(client.request(releaseMemory, at, ask, { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'timeout',
    });
    await expect(
      client.request(releaseMemory, at, ask, { signal: AbortSignal.timeout(50) }),
    ).rejects.toMatchObject({ code: 'cancelled' });
    await expect(
      client.request(releaseMemory, at, { ...ask, reason: 'x'.repeat(20_000) }),
    ).rejects.toMatchObject({ code: 'message_too_large' });
    const gathered = await client.gather(listAlerts, {}, {}, { timeoutMs: 200 });
    expect(gathered).toEqual({ replies: [], missing: [] });
    expect(client.stats.requestErrors).toBe(4);
    await expect(client.request(releaseMemory, { host: 'm6' }, ask)).rejects.toThrow(/wildcard/);
  });

  test('M11 a slow handler is counted once per crossing of its limit', async () => {
    const sender = await bus('m11-sender');
    const receiver = await bus('m11-receiver');
    const subscription = await receiver.subscribe(
      leaseEnded,
      { host: 'm11' },
      () => wait(2).then(() => undefined),
      {
        slow: 5,
      },
    );
    for (let i = 0; i < 20; i += 1) sender.publish(leaseEnded, { host: 'm11' }, fact);
    await eventually('slow is seen', () => receiver.stats.slowConsumers > 0);
    await subscription.drain();
    expect(receiver.stats.slowConsumers).toBe(1);
    expect(receiver.stats.handled).toBe(20);
  });

  test('M13 a broker that is away is waited for, however often the client tries', async () => {
    const own = await startNats();
    const client = await testBus(own, 'm13', { reconnectDelayMs: 20 });
    try {
      const states: string[] = [];
      client.onState((state) => void states.push(state));
      await own.stop();
      // Far more than the ten attempts after which the client gives up by default.
      await wait(800);
      expect(client.state).toBe('disconnected');
      await own.restart({ keepStore: true });
      await eventually('the reconnect', () => client.state === 'connected');
      await client.flush();
      expect(states).toEqual(['disconnected', 'connected']);
    } finally {
      await client.close();
      await own[Symbol.asyncDispose]();
    }
  });

  test('M14 a server that hangs is noticed by pings', async () => {
    const own = await startNats();
    const client = await testBus(own, 'm14', { pingIntervalMs: 100 });
    try {
      own.pause();
      await eventually('the hang is noticed', () => client.state === 'disconnected', 3_000);
      own.resume();
      await eventually('the reconnect', () => client.state === 'connected');
    } finally {
      own.resume();
      await client.close();
      await own[Symbol.asyncDispose]();
    }
  });

  test('M15 gather ends at the count or the stall and names who is missing', async () => {
    const client = await bus('m15-client');
    for (const name of ['a', 'b', 'c']) {
      const server = await bus(`m15-${name}`);
      await server.serve({
        name: 'm15',
        version: '1.0.0',
        endpoints: [
          endpoint({
            contract: listAlerts,
            queueGroup: null,
            handle: () => ok({ alerts: [] }),
          }),
          releasing(0, `m15-${name}`),
        ],
      });
    }
    const timeoutMs = 3_000;
    const startedAt = performance.now();
    const counted = await client.gather(listAlerts, {}, {}, { count: 3, timeoutMs });
    const stalled = await client.gather(listAlerts, {}, {}, { stallMs: 100, timeoutMs });
    expect(counted.replies).toHaveLength(3);
    expect(stalled.replies).toHaveLength(3);
    const expected = ['m15-a', 'm15-b', 'm15-c', 'm15-absent'];
    const hosts = await client.gather(releaseMemory, { party: 'c' }, ask, { expected, timeoutMs });
    expect(hosts.replies).toHaveLength(3);
    expect(hosts.missing).toEqual(['m15-absent']);
    const cancelled = client.gather(
      listAlerts,
      {},
      {},
      { count: 9, timeoutMs, signal: AbortSignal.timeout(50) },
    );
    await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' });
    expect(performance.now() - startedAt).toBeLessThan(timeoutMs);
    await expect(
      client.gather(describeHost, { host: 'm15-a' }, {}, { timeoutMs: 100 }),
    ).resolves.toMatchObject({ replies: [] });
  });
});
