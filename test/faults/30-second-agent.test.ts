/** Two agents must never serve one host: on this machine a file lock prevents it, across machines the presence record. */
import { createAllocator } from '@nautilus/allocator';
import { exchanges } from '@nautilus/contracts';
import { createLogger } from '@nautilus/kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testConfig } from '../support/config.ts';
import { type Host, startHost } from '../support/host.ts';

const log = createLogger({ name: 'second', level: 'silent' });

describe('a second agent', () => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost();
  });
  afterAll(() => host[Symbol.asyncDispose]());

  it('with the same state directory is refused before it touches anything', () => {
    expect(() => createAllocator({ config: host.config, log })).toThrow(
      expect.objectContaining({ code: 'host_taken', message: expect.stringContaining('host.id') }),
    );
  });

  it('elsewhere, for the same host, is refused by presence and answers no request', async () => {
    const other = testConfig(host.nats.url);
    const second = createAllocator({ config: other.config, log });
    await expect(second.app.start()).rejects.toMatchObject({ code: 'host_taken' });
    // Only the first answers: its instance is the one that describes the host.
    const { instance } = await host.bus.request(exchanges.describeHost, { host: 'h1', party: 'agent' }, {});
    expect(instance).toBe(host.agent.agent.instance);
    other.remove();
  });

  it('for another host is welcome beside the first', async () => {
    const other = testConfig(host.nats.url);
    const config = { ...other.config, host: { ...other.config.host, id: 'h2' } };
    const second = createAllocator({ config, log });
    await second.app.start();
    const answer = await host.bus.request(exchanges.describeHost, { host: 'h2', party: 'agent' }, {});
    expect(answer.host).toBe('h2');
    await second.app.stop('end');
    other.remove();
  });
});
