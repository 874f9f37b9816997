/** A requester names the reply subject; it must not choose what the answering party writes, commands or purges. */
import { connect } from '@nats-io/transport-node';
import { buckets, ok, releaseMemory } from '@nautilus/contracts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isAnswerable } from './answerable.ts';
import type { Bus } from './bus.ts';
import { endpoint } from './serve.ts';
import { type NatsServer, startNats } from './testing/nats-server.ts';
import { testBus } from './testing/setup.ts';

let nats: NatsServer;
let agent: Bus;
beforeEach(async () => {
  nats = await startNats({ jetstream: true });
  agent = await testBus(nats, 'agent');
});
afterEach(async () => {
  await agent.close();
  await nats[Symbol.asyncDispose]();
});

test('only inboxes are answered', () => {
  for (const reply of [undefined, '', '_INBOX.a.b']) expect(isAnswerable(reply)).toBe(true);
  for (const reply of [
    '$KV.desired.h1.a',
    '$JS.API.STREAM.PURGE.X',
    'nautilus.v1.req.h1.a.b.c',
    '_INBOXES.a',
    '_INBOX',
  ]) {
    expect(isAnswerable(reply)).toBe(false);
  }
});

test('a request that names a bucket, a stream or another request for its answer is not even handled', async () => {
  const handled: string[] = [];
  await agent.serve({
    name: 'agent',
    version: '1.0.0',
    endpoints: [
      endpoint({
        contract: releaseMemory,
        host: 'h1',
        party: '*',
        handle: (body, { party }) => {
          handled.push(`${party}: ${body.reason}`);
          return ok({ releasedBytes: 0 });
        },
      }),
    ],
  });
  const store = await agent.store(buckets.lease);
  await store.put('monitor', { holder: 'a', since: 1 });
  const before = await store.get('monitor');

  const mischief = await connect({ servers: nats.url });
  const body = (reason: string) => JSON.stringify({ degree: 'trim', bytes: 1, reason });
  const subject = 'nautilus.v1.cmd.h1.sandbox.memory.release';
  for (const reply of [
    '$KV.lease.monitor',
    '$JS.API.STREAM.PURGE.KV_lease',
    'nautilus.v1.cmd.h1.victim.memory.release',
  ]) {
    mischief.publish(subject, body('mischief'), { reply });
    mischief.publish('$SRV.PING', '', { reply });
  }
  // Messages of one connection arrive in order: when this is answered, the others have been seen.
  await mischief.request(subject, body('honest'), { timeout: 2_000 });
  expect(handled).toEqual(['sandbox: honest']);
  expect(await store.get('monitor')).toEqual(before);
  expect(agent.stats.invalidMessages).toBe(3);
  await mischief.close();
});
