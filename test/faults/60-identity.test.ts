/** Nobody asks in another's name: the NATS server holds each party to its row of the role table. */
import { type Bus, connectBus, createNkey, endpoint, generateServerConfig } from '@nautilus/bus';
import { type NatsServer, startNats } from '@nautilus/bus/testing';
import { exchanges, ok, permissionsOf, type RoleName } from '@nautilus/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const lease = { pool: 'risk', bytes: 4096 };

describe('a container on a server with roles', () => {
  let nats: NatsServer;
  const seeds = new Map<string, string>();
  const buses: Bus[] = [];
  const enter = async (party: string): Promise<Bus> => {
    const bus = await connectBus({
      servers: nats.url,
      name: party,
      inboxPrefix: `_INBOX.${party}`,
      credentials: { nkeySeed: seeds.get(party) ?? '' },
    });
    buses.push(bus);
    return bus;
  };

  beforeAll(async () => {
    const parties: [string, RoleName][] = [
      ['agent', 'agent'],
      ['risk-engine', 'container'],
      ['sandbox', 'container'],
    ];
    const users = parties.map(([party, role]) => {
      const { seed, publicKey } = createNkey();
      seeds.set(party, seed);
      const { publish, subscribe, allowResponses } = permissionsOf(role, { host: 'h1', party });
      return { name: party, nkey: publicKey, publish, subscribe, allowResponses };
    });
    nats = await startNats({
      jetstream: true,
      config: generateServerConfig({ users, port: 4222, host: '127.0.0.1', storeDir: null }),
    });
    const agent = await enter('agent');
    // Answers with the name that the subject carries: the identity as the agent sees it.
    await agent.serve({
      name: 'agent',
      version: '1.0.0',
      endpoints: [
        endpoint({
          contract: exchanges.releaseSegment,
          host: 'h1',
          party: '*',
          handle: (body, { party }) =>
            ok({ segment: body.segment, releasedBytes: party.length, lingeringBytes: 0 }),
        }),
      ],
    });
  });
  afterAll(async () => {
    for (const bus of buses.reverse()) await bus.close();
    await nats[Symbol.asyncDispose]();
  });

  it('is served in its own name', async () => {
    const bus = await enter('sandbox');
    const answer = await bus.request(
      exchanges.releaseSegment,
      { host: 'h1', party: 'sandbox' },
      { segment: 's-12345678' },
    );
    expect(answer.releasedBytes).toBe('sandbox'.length);
  });

  it('can serve the commands that are addressed to it', async () => {
    const bus = await enter('sandbox');
    const served = await bus.serve({
      name: 'sandbox',
      version: '1.0.0',
      discoverable: false,
      endpoints: [
        endpoint({
          contract: exchanges.releaseMemory,
          host: 'h1',
          party: 'sandbox',
          handle: () => ok({ releasedBytes: 5 }),
        }),
      ],
    });
    const agent = await enter('agent');
    const at = { host: 'h1', party: 'sandbox' };
    const answer = await agent.request(exchanges.releaseMemory, at, {
      degree: 'trim',
      bytes: 10,
      reason: 'a test',
    });
    expect(answer.releasedBytes).toBe(5);
    await served.drain();
  });

  it("is refused in another's name, on another host, and as an agent", async () => {
    const bus = await enter('sandbox');
    await expect(
      bus.request(exchanges.leaseSegment, { host: 'h1', party: 'risk-engine' }, lease),
    ).rejects.toMatchObject({ code: 'permission_denied' });
    await expect(
      bus.request(exchanges.leaseSegment, { host: 'h2', party: 'sandbox' }, lease),
    ).rejects.toMatchObject({ code: 'permission_denied' });
    await expect(
      bus.request(
        exchanges.releaseMemory,
        { host: 'h1', party: 'risk-engine' },
        { degree: 'everything', bytes: 1, reason: 'mischief' },
      ),
    ).rejects.toMatchObject({ code: 'permission_denied' });
  });

  it("cannot serve another's commands", async () => {
    const bus = await enter('sandbox');
    const serve = bus.serve({
      name: 'thief',
      version: '1.0.0',
      endpoints: [
        endpoint({
          contract: exchanges.releaseMemory,
          host: 'h1',
          party: 'risk-engine',
          handle: () => ok({ releasedBytes: 0 }),
        }),
      ],
    });
    await expect(serve).rejects.toMatchObject({ code: 'permission_denied' });
  });
});
