import { buckets, NautilusError } from '@nautilus/contracts';
import { describe, expect, test } from 'vitest';
import { connectBus } from './connect.ts';
import { startNats } from './testing/nats-server.ts';
import { recordingLog, testBus } from './testing/setup.ts';

async function refusalOf(promise: Promise<unknown>): Promise<NautilusError> {
  const error = await promise.then(
    () => new Error('it was not refused'),
    (reason: unknown) => reason,
  );
  if (error instanceof NautilusError) return error;
  throw error;
}

describe('the first connection', () => {
  test('waits for a server that is not there yet, and says so with its address', async () => {
    const port = await freePort();
    const log = recordingLog();
    const servers = `nats://127.0.0.1:${port}`;
    const connecting = connectBus({ servers, name: 'early', log, reconnectDelayMs: 50 });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(log.lines.filter((line) => line.level === 'warn')).toHaveLength(1);
    expect(log.lines[0]).toMatchObject({ fields: { servers } });
    await using nats = await startNats({ port });
    const bus = await connecting;
    expect(bus).toMatchObject({ state: 'connected', url: nats.url });
    expect(bus.serverVersion).toMatch(/^\d+\.\d+\.\d+/);
    await bus.close();
    expect(bus.state).toBe('closed');
  });

  test('is given up by the signal', async () => {
    const servers = `nats://127.0.0.1:${await freePort()}`;
    const startedAt = performance.now();
    const refusal = await refusalOf(
      connectBus({ servers, name: 'never', signal: AbortSignal.timeout(100), reconnectDelayMs: 10_000 }),
    );
    expect(refusal.code).toBe('cancelled');
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  test('without waiting, an absent server is an error at once', async () => {
    const servers = `nats://127.0.0.1:${await freePort()}`;
    const refusal = await refusalOf(connectBus({ servers, name: 'never', waitOnFirstConnect: false }));
    expect(refusal.code).toBe('unavailable');
    expect(refusal.message).toContain(servers);
  });

  test('a server that is too old for a feature is refused by the name of the feature', async () => {
    await using nats = await startNats({ jetstream: true });
    const probe = await testBus(nats, 'probe');
    const version = probe.serverVersion;
    await probe.close();
    const connecting = testBus(nats, 'new', { requireFeatures: ['kv', 'marker-ttl'] });
    if (/^2\.(9|10)\./.test(version)) {
      const refusal = await refusalOf(connecting);
      expect(refusal.code).toBe('server_too_old');
      expect(refusal.details).toEqual({ feature: 'marker-ttl', needed: '2.11.0', found: version });
    } else await (await connecting).close();
  });

  test('a server without JetStream is refused when it is needed, and a store there too', async () => {
    await using nats = await startNats({ jetstream: false });
    const refusal = await refusalOf(testBus(nats, 'needs', { requireFeatures: ['jetstream'] }));
    expect(refusal.code).toBe('unsupported');
    await using bus = await testBus(nats, 'bus');
    expect((await refusalOf(bus.store(buckets.desired))).code).toBe('unavailable');
  });

  test('wrong credentials are an error at once, not a wait', async () => {
    await using nats = await startNats({ config: 'authorization { user: a, password: b }' });
    const credentials = { user: 'a', password: 'wrong' };
    expect((await refusalOf(testBus(nats, 'thief', { credentials }))).code).toBe('permission_denied');
    const bus = await testBus(nats, 'owner', { credentials: { user: 'a', password: 'b' } });
    await bus.close();
  });
});

/** A port that was free a moment ago; the kernel does not give it out again so soon. */
async function freePort(): Promise<number> {
  const nats = await startNats();
  const { port } = nats;
  await nats[Symbol.asyncDispose]();
  return port;
}
