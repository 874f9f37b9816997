/** Hostile and mistaken requests over NATS: each gets a clear error with a stable code, and the agent goes on. */
import { exchangeSubject, exchanges } from '@nautilus/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Host, startHost } from '../support/host.ts';

const at = { host: 'h1', party: 'risk-engine' };

describe('requests', () => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost();
  });
  afterAll(() => host[Symbol.asyncDispose]());
  const lease = (body: unknown) =>
    host.bus.request(exchanges.leaseSegment, at, body as { pool: string; bytes: number }).then(
      () => null,
      (error: unknown) => error,
    );
  const raw = async (bytes: Uint8Array) => {
    const answer = await host.bus.requestRaw(exchangeSubject(exchanges.leaseSegment, at), bytes, 2_000);
    return JSON.parse(Buffer.from(answer).toString('utf8')) as { code?: string; message?: string };
  };

  it('for an unknown pool say which there are', async () => {
    expect(await lease({ pool: 'swimming', bytes: 1 })).toMatchObject({
      code: 'unknown_pool',
      message: expect.stringContaining('trading'),
    });
  });

  for (const [what, bytes] of [
    ['zero', 0],
    ['negative', -4096],
    ['fractional', 1.5],
    ['beyond 2^47', 2 ** 48],
    ['beyond 2^53', 2 ** 60],
  ] as const) {
    it(`of a size that is ${what} are refused with the size found`, async () => {
      const answer = await raw(Buffer.from(JSON.stringify({ pool: 'risk', bytes })));
      expect(answer).toMatchObject({ code: 'invalid_size', message: expect.stringContaining(String(bytes)) });
    });
  }

  it('of a size that is no number name the field', async () => {
    expect(await raw(Buffer.from('{"pool":"risk","bytes":"many"}'))).toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('bytes'),
    });
    // JSON has no infinity; a number too large for a double parses as one.
    expect((await raw(Buffer.from('{"pool":"risk","bytes":1e999}'))).code).toMatch(/invalid_(size|request)/);
  });

  it('larger than everything are over budget, not a crash', async () => {
    expect(await lease({ pool: 'risk', bytes: 2 ** 46 })).toMatchObject({ code: 'over_budget' });
  });

  for (const [what, bytes] of [
    ['no JSON', Buffer.from('this is not JSON')],
    ['empty', Buffer.alloc(0)],
    ['binary', Buffer.from([0, 255, 254, 10, 0])],
    ['an array', Buffer.from('[]')],
    ['null', Buffer.from('null')],
    ['a nest of arrays', Buffer.from('['.repeat(5000) + ']'.repeat(5000))],
  ] as const) {
    it(`that are ${what} are refused as malformed`, async () => {
      expect(await raw(bytes)).toMatchObject({ code: 'invalid_request' });
    });
  }

  it('that are too large are refused before they are parsed', async () => {
    expect(
      await raw(Buffer.from(JSON.stringify({ pool: 'risk', bytes: 1, filler: 'x'.repeat(100_000) }))),
    ).toMatchObject({
      code: 'message_too_large',
    });
  });

  it('of unknown containers are refused', async () => {
    await expect(
      host.bus.request(
        exchanges.leaseSegment,
        { host: 'h1', party: 'nobody-i-know' },
        { pool: 'risk', bytes: 1 },
      ),
    ).rejects.toMatchObject({ code: 'unknown_container' });
  });

  it('with wild fields are stripped, not obeyed', async () => {
    const answer = await raw(
      Buffer.from('{"pool":"risk","bytes":4096,"container":"trading-engine","__proto__":{"ttlMs":1}}'),
    );
    expect(answer).toMatchObject({ bytes: 4096 });
    const described = await host.bus.request(exchanges.describeSegments, at, {});
    expect(described.container).toBe('risk-engine');
    expect(described.leasedBytes).toBe(4096);
  });

  it('by thousands, half of them bad, leave the books exact', async () => {
    const before = (await host.bus.request(exchanges.describeSegments, at, {})).leasedBytes;
    const answers = await Promise.all(
      Array.from({ length: 1000 }, (_, index) =>
        raw(Buffer.from(index % 2 === 0 ? '{"pool":"risk","bytes":4096}' : '{"pool":"risk","bytes":-1}')),
      ),
    );
    const leased = answers.filter((answer) => answer.code === undefined).length;
    expect(leased).toBe(500);
    expect((await host.bus.request(exchanges.describeSegments, at, {})).leasedBytes).toBe(
      before + 500 * 4096,
    );
  });
});
