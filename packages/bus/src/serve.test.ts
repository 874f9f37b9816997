/** The service wrapper: what it refuses before any work is done, what it says about itself, and that it is quick. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Svcm } from '@nats-io/services';
import { connect, headers, type NatsConnection } from '@nats-io/transport-node';
import {
  allocateBlock,
  exchangeSubject,
  headerNames,
  leaseSegment,
  ok,
  releaseMemory,
} from '@nautilus/contracts';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Bus } from './bus.ts';
import { endpoint, type RequestContext } from './serve.ts';
import { type NatsServer, startNats } from './testing/nats-server.ts';
import { eventually, testBus } from './testing/setup.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

let nats: NatsServer;
let raw: NatsConnection;
let server: Bus;
let client: Bus;

beforeAll(async () => {
  nats = await startNats();
  raw = await connect({ servers: nats.url });
});
afterEach(async () => {
  await server.close();
  await client.close();
});
afterAll(async () => {
  await raw.close();
  await nats[Symbol.asyncDispose]();
});

const ask = { degree: 'trim' as const, bytes: 1, reason: 'test' };
const at = { host: 'h1', party: 'c' };
const subject = exchangeSubject(releaseMemory, at);

async function start(
  handle: (context: RequestContext) => Promise<void> | void,
  limits: { concurrency?: number; queueLimit?: number } = {},
) {
  server = await testBus(nats, 'server');
  client = await testBus(nats, 'client');
  return server.serve({
    name: 'agent',
    version: '1.2.3',
    id: 'i1',
    description: 'a service under test',
    endpoints: [
      endpoint({
        contract: releaseMemory,
        ...at,
        ...limits,
        handle: async (body, context) => {
          await handle(context);
          return ok({ releasedBytes: body.bytes });
        },
      }),
      endpoint({
        contract: allocateBlock,
        host: 'h1',
        party: '*',
        handle: (body, context) =>
          ok({ block: 'b-1', segment: 's-00000001', offset: body.bytes, length: context.party.length }),
      }),
    ],
  });
}

describe('a request that is wrong never reaches the handler', () => {
  const refused = () => start(() => expect.unreachable('the handler was called'));

  test.each([
    ['not JSON', 'nonsense', 400, 'invalid_request', /not JSON/],
    [
      'a wrong value',
      '{"degree":"much","bytes":1,"reason":""}',
      400,
      'invalid_request',
      /degree: .*found "much"/,
    ],
    ['a missing field', '{"degree":"trim","reason":""}', 400, 'invalid_request', /bytes: .*found nothing/],
    [
      'too large',
      JSON.stringify({ ...ask, reason: 'x'.repeat(20_000) }),
      413,
      'message_too_large',
      /at most 16384/,
    ],
  ])('%s', async (_, body, status, code, message) => {
    await refused();
    const reply = await raw.request(subject, body, { timeout: 1_000 });
    expect(reply.headers?.get('Nats-Service-Error-Code')).toBe(String(status));
    expect(reply.headers?.get('Nautilus-Error-Code')).toBe(code);
    expect(reply.headers?.get('Nats-Service-Error')).toMatch(message);
    expect(reply.json()).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test('a rule of the contract with a code of its own', async () => {
    await refused();
    const asked = client.request(allocateBlock, { host: 'h1', party: 'web' }, { pool: 'p', bytes: -5 });
    await expect(asked).rejects.toMatchObject({ code: 'invalid_size', details: { path: 'bytes' } });
    expect(server.stats.handlerErrors).toBe(0);
  });

  test('a deadline that has passed is dropped and counted', async () => {
    await refused();
    const sent = headers();
    sent.set(headerNames.deadline, String(Date.now() - 1));
    const reply = await raw.request(subject, JSON.stringify(ask), { timeout: 1_000, headers: sent });
    expect(reply.headers?.get('Nautilus-Error-Code')).toBe('deadline_exceeded');
    expect(server.stats.deadlineDropped).toBe(1);
  });
});

describe('context', () => {
  test('carries identity, epoch, deadline, request id; the signal aborts at the deadline', async () => {
    const seen: RequestContext[] = [];
    let aborted = false;
    await start(async (context) => {
      seen.push(context);
      await new Promise<void>((resolve) => {
        context.signal.addEventListener('abort', () => {
          aborted = true;
          resolve();
        });
      });
    });
    const before = Date.now();
    await client
      .request(releaseMemory, at, ask, { timeoutMs: 100, requestId: 'r-7', epoch: 42 })
      .catch(() => undefined);
    await eventually('the abort', () => aborted);
    const [context] = seen;
    expect(context).toMatchObject({ subject, host: 'h1', party: 'c', requestId: 'r-7', epoch: 42 });
    expect(context?.deadline).toBeGreaterThanOrEqual(before + 100);
    expect(context?.deadline).toBeLessThan(before + 1_000);
  });

  test('the party of a wildcard endpoint is the asking container, and the request id comes back', async () => {
    await start(() => undefined);
    const place = await client.request(allocateBlock, { host: 'h1', party: 'web' }, { pool: 'p', bytes: 8 });
    expect(place).toMatchObject({ offset: 8, length: 'web'.length });
    const sent = headers();
    sent.set(headerNames.requestId, 'r-8');
    const reply = await raw.request(subject, JSON.stringify(ask), { timeout: 1_000, headers: sent });
    expect(reply.headers?.get(headerNames.requestId)).toBe('r-8');
    expect(reply.headers?.has('Nats-Service-Error')).toBe(false);
  });

  test('a reply that breaks its contract is an error of the answerer, not data', async () => {
    server = await testBus(nats, 'server');
    client = await testBus(nats, 'client');
    await server.serve({
      name: 'agent',
      version: '1.0.0',
      endpoints: [{ contract: leaseSegment, host: 'h1', party: '*', handle: () => ok({ segment: 5 }) }],
    });
    const asked = client.request(leaseSegment, { host: 'h1', party: 'web' }, { pool: 'p', bytes: 8 });
    await expect(asked).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringMatching(/contract/),
    });
  });
});

describe('overload', () => {
  test('past the queue limit the answer is 503 at once, and memory stays flat', async () => {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const service = await start(() => gate, { concurrency: 2, queueLimit: 3 });
    const admitted = Array.from({ length: 5 }, () => client.request(releaseMemory, at, ask));
    await client.flush();
    await eventually('the first five arrived', () => server.stats.handled === 5);
    const payload = JSON.stringify({ ...ask, reason: 'x'.repeat(400) });
    const latencies: number[] = [];
    const flood = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i += 1) {
        const startedAt = performance.now();
        const reply = await raw.request(subject, payload, { timeout: 1_000 });
        latencies.push(performance.now() - startedAt);
        expect(reply.headers?.get('Nats-Service-Error-Code')).toBe('503');
      }
    };
    await flood(500);
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    await flood(2_000);
    collectGarbage();
    const grown = process.memoryUsage().heapUsed - before;
    latencies.sort((a, b) => a - b);
    expect(latencies[Math.floor(latencies.length * 0.5)]).toBeLessThan(5);
    expect(grown).toBeLessThan(2 * 1024 ** 2);
    expect(server.stats.overloaded).toBe(2_500);
    release();
    expect(await Promise.all(admitted)).toHaveLength(5);
    await service.drain();
  });

  test('a drain that runs out of time aborts, and answers in place of who ignores it', async () => {
    const service = await start(() => new Promise(() => undefined), { concurrency: 1 });
    const stuck = client.request(releaseMemory, at, ask).catch((error: { code: string }) => error.code);
    const queued = client.request(releaseMemory, at, ask).catch((error: { code: string }) => error.code);
    await eventually('both arrived', () => server.stats.handled === 2);
    await service.drain(50);
    expect(await Promise.all([stuck, queued])).toEqual(['draining', 'draining']);
  });
});

describe('ADR-32', () => {
  test('every $SRV subject answers with exactly the fields of the ADR', async () => {
    await start(() => undefined);
    await client.request(releaseMemory, at, ask);
    await raw.request(subject, 'nonsense', { timeout: 1_000 });
    const identity = { name: 'agent', id: 'i1', version: '1.2.3', metadata: {} };
    for (const suffix of ['', '.agent', '.agent.i1']) {
      const query = async (verb: string): Promise<Record<string, unknown>> =>
        (await raw.request(`$SRV.${verb}${suffix}`, '', { timeout: 1_000 })).json();
      expect(await query('PING')).toStrictEqual({ type: 'io.nats.micro.v1.ping_response', ...identity });
      expect(await query('INFO')).toStrictEqual({
        type: 'io.nats.micro.v1.info_response',
        ...identity,
        description: 'a service under test',
        endpoints: [
          {
            name: 'memory-release',
            subject,
            queue_group: 'q',
            metadata: { summary: releaseMemory.summary },
          },
          {
            name: 'block-allocate',
            subject: 'nautilus.v1.req.h1.*.block.allocate',
            queue_group: 'q',
            metadata: { summary: allocateBlock.summary },
          },
        ],
      });
      const stats = await query('STATS');
      expect(stats).toStrictEqual({
        type: 'io.nats.micro.v1.stats_response',
        ...identity,
        started: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        endpoints: [expect.anything(), expect.anything()],
      });
      expect((stats['endpoints'] as unknown[])[0]).toStrictEqual({
        name: 'memory-release',
        subject,
        queue_group: 'q',
        num_requests: 2,
        num_errors: 1,
        last_error: expect.stringMatching(/^invalid_request: /),
        processing_time: expect.any(Number),
        average_processing_time: expect.any(Number),
      });
    }
    await expect(raw.request('$SRV.PING.other', '', { timeout: 500 })).rejects.toThrow(/no responders/);
  });

  test('the official client reads ping, info and stats', async () => {
    const service = await start(() => undefined);
    await client.request(releaseMemory, at, ask);
    // It was published against an older core of its own, whose types differ in nothing that it calls.
    const oracle = new Svcm(raw as never).client({
      strategy: 'count',
      maxMessages: 1,
      maxWait: 1_000,
    } as never);
    const first = async <T>(answers: Promise<AsyncIterable<T>>): Promise<T | null> => {
      for await (const answer of await answers) return answer;
      return null;
    };
    expect(await first(oracle.ping('agent'))).toMatchObject({ name: 'agent', id: 'i1', version: '1.2.3' });
    expect((await first(oracle.info('agent', 'i1')))?.endpoints).toHaveLength(2);
    const stats = await first(oracle.stats('agent'));
    expect(stats?.endpoints?.[0]).toMatchObject({ name: 'memory-release', num_requests: 1, num_errors: 0 });
    await service.drain();
    await expect(raw.request('$SRV.PING.agent', '', { timeout: 500 })).rejects.toThrow(/no responders/);
  });

  test.each([
    ['name', { name: 'a.b', version: '1.0.0' }],
    ['version', { name: 'a', version: '1.0' }],
    ['id', { name: 'a', version: '1.0.0', id: 'x y' }],
  ])('a wrong %s is refused', async (_, identity) => {
    await start(() => undefined);
    await expect(server.serve({ ...identity, endpoints: [] })).rejects.toThrow(RangeError);
  });
});
