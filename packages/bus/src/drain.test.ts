import { releaseMemory } from '@nautilus/contracts';
import { expect, test } from 'vitest';
import { startFixture } from './testing/child.ts';
import { startNats } from './testing/nats-server.ts';
import { testBus } from './testing/setup.ts';

test('a process that gets SIGTERM with 40 requests in flight answers all 40', async () => {
  await using nats = await startNats();
  await using client = await testBus(nats, 'client');
  const child = startFixture('drain', nats.url);
  try {
    await child.line(/^ready$/);
    const requests = Array.from({ length: 40 }, (_, index) =>
      client.request(
        releaseMemory,
        { host: 'h1', party: 'c' },
        { degree: 'trim', bytes: index, reason: 'test' },
      ),
    );
    await client.flush();
    child.signal('SIGTERM');
    const replies = await Promise.all(requests);
    expect(replies.map((reply) => reply.releasedBytes)).toEqual(Array.from({ length: 40 }, (_, i) => i));
    // Nothing but the open connection kept it alive.
    expect(await child.ended()).toBe(0);
    expect(child.lines).toContain('handled 40');
  } finally {
    await child.kill();
  }
});
