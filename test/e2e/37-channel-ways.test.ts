/** Where channels meet the rest of the world: no socket, another host, a restarted NATS, two clients of one name, liars. */
import { openSync, readdirSync, renameSync } from 'node:fs';
import { createAllocator } from '@nautilus/allocator';
import { connect, type NautilusClient, type Publisher, type Subscription } from '@nautilus/client';
import { createLogger } from '@nautilus/kit';
import { createWake, Descriptor } from '@nautilus/native';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testConfig } from '../support/config.ts';
import { eventually } from '../support/eventually.ts';
import { hold } from '../support/holding.ts';
import { type Host, startHost } from '../support/host.ts';
import { Peer } from '../support/peer.ts';

describe('a channel', () => {
  let host: Host;
  let number = 0;
  beforeAll(async () => {
    host = await startHost();
  });
  afterAll(() => host[Symbol.asyncDispose]());
  const enter = (container: string, options: { host?: string } = {}): Promise<NautilusClient> =>
    connect({ container, servers: host.nats.url, ...options });
  const name = () => {
    number += 1;
    return `ways-${number}`;
  };
  /** Publishes a byte and waits until it is there. */
  const carries = async (publisher: Publisher, subscription: Subscription<unknown>, byte: number) => {
    expect(publisher.send(Uint8Array.of(byte))).toBe(true);
    const message = await subscription.next({ timeoutMs: 5_000 });
    expect(message?.bytes[0]).toBe(byte);
    message?.release();
  };

  it('comes over NATS where the socket of the agent cannot be reached, and says which', async () => {
    const channel = name();
    await using owner = await enter('market-data');
    const publisher = await owner.publish(channel, { frameBytes: 64, readers: 'any' });
    const { socket } = host.config.host;
    await using outside = await enter('risk-engine');
    renameSync(socket, `${socket}.elsewhere`);
    try {
      const subscription = await outside.subscribe(channel, { from: 'market-data' });
      expect(subscription).toMatchObject({ copied: true, reason: expect.stringContaining(socket) });
      await carries(publisher, subscription, 7);
      expect(publisher.stats().subscribers).toBe(0);
    } finally {
      renameSync(`${socket}.elsewhere`, socket);
    }
    // The cursors that it had leased in vain are given back, and a second attempt finds the socket.
    expect(host.agent.agent.accounts.containers.get('risk-engine')?.leases).toBe(0);
    const inPlace = await outside.subscribe(channel, { from: 'market-data' });
    expect(inPlace.copied).toBe(false);
  });

  it('comes over NATS from another host', async () => {
    const channel = name();
    const { config, remove } = testConfig(host.nats.url, { host: { id: 'h2' } });
    const other = { ...config, host: { ...config.host, socket: `${config.host.state_dir}.sock` } };
    const agent = createAllocator({ config: other, log: createLogger({ name: 'h2', level: 'silent' }) });
    await agent.app.start();
    try {
      await using owner = await enter('market-data', { host: 'h2' });
      await using reader = await enter('risk-engine');
      await using stranger = await enter('sandbox');
      const publisher = await owner.publish(channel, { frameBytes: 64, readers: ['risk-engine'] });
      const subscription = await reader.subscribe(channel, { from: 'market-data', host: 'h2' });
      expect(subscription).toMatchObject({ copied: true, reason: expect.stringContaining('h2') });
      await carries(publisher, subscription, 9);
      const there = { from: 'market-data', host: 'h2' };
      await expect(stranger.subscribe(channel, there)).rejects.toMatchObject({ code: 'unknown_channel' });
      await publisher.close();
      expect(await subscription.next({ timeoutMs: 5_000 })).toBeNull();
      expect(subscription.endReason).toBe('closed');
    } finally {
      await agent.app.stop('end of test');
      remove();
    }
  });

  it('flows on in place while NATS is gone, and lets others in when it is back', async () => {
    const channel = name();
    await using owner = await enter('market-data');
    await using reader = await enter('risk-engine');
    const publisher = await owner.publish(channel, { frameBytes: 64, readers: 'any' });
    const inPlace = await reader.subscribe(channel, { from: 'market-data' });
    await host.nats.stop();
    await eventually(
      () => [owner.connected.nats, reader.connected.nats],
      (up) => up.every((one) => !one),
      { what: 'the loss of NATS' },
    );
    for (let byte = 0; byte < 50; byte += 1) await carries(publisher, inPlace, byte);
    await host.nats.restart({ keepStore: true });
    const late = await eventually(
      () => reader.subscribe(channel, { from: 'market-data' }).catch(() => null),
      (subscription) => subscription !== null,
      { what: 'a newcomer after the restart of NATS', timeoutMs: 15_000 },
    );
    if (late === null) throw new Error('it was let in');
    await carries(publisher, late, 60);
    expect(inPlace.dropped).toBe(0);
  });

  it('is found in whichever client of its container it is', async () => {
    const [first, second] = [name(), name()];
    await using one = await enter('market-data');
    await using two = await enter('market-data');
    await using reader = await enter('risk-engine');
    const publishers = [
      await one.publish(first, { frameBytes: 64, readers: 'any' }),
      await two.publish(second, { frameBytes: 64, readers: 'any' }),
    ];
    for (const [index, channel] of [first, second].entries()) {
      for (let round = 0; round < 3; round += 1) {
        await using subscription = await reader.subscribe(channel, { from: 'market-data' });
        await carries(publishers[index] as Publisher, subscription, index + round);
      }
    }
    await expect(two.publish(first, { frameBytes: 64, readers: 'any' })).rejects.toMatchObject({
      code: 'conflict',
    });
    await using after = await reader.subscribe(first, { from: 'market-data' });
    await carries(publishers[0] as Publisher, after, 100);
  });

  it('has room for so many, and a full one says so at once', async () => {
    const channel = name();
    await using owner = await enter('market-data');
    await using reader = await enter('risk-engine');
    await owner.publish(channel, { frameBytes: 64, maximumSubscribers: 1, readers: 'any' });
    const first = await reader.subscribe(channel, { from: 'market-data' });
    await expect(reader.subscribe(channel, { from: 'market-data' })).rejects.toMatchObject({
      code: 'over_budget',
      message: expect.stringContaining('maxSubscribers'),
    });
    await first.close();
    await eventually(
      async () =>
        reader.subscribe(channel, { from: 'market-data' }).then(
          () => true,
          () => false,
        ),
      (isIn) => isIn,
      { what: 'the place of who left' },
    );
  });

  it('keeps a place for each reader that it names, however many another one takes', async () => {
    const channel = name();
    await using owner = await enter('market-data');
    await using greedy = await enter('risk-engine');
    await using modest = await enter('trading-engine');
    const readers = ['risk-engine', 'trading-engine'];
    const publisher = await owner.publish(channel, { frameBytes: 64, maximumSubscribers: 3, readers });
    const subscribe = () => greedy.subscribe(channel, { from: 'market-data' });
    const first = await subscribe();
    await subscribe();
    await expect(subscribe()).rejects.toMatchObject({
      code: 'over_budget',
      message: expect.stringContaining('risk-engine has 2 of the 3 places'),
    });
    await using subscription = await modest.subscribe(channel, { from: 'market-data' });
    await carries(publisher, subscription, 7);
    // Now nobody waits for what is given back.
    await first.close();
    const again = await eventually(
      () => subscribe().catch(() => null),
      (one) => one !== null,
      { what: 'the place that was given back' },
    );
    await again?.close();
  });

  it('has segments that wake their owner, and no peer can make more of that', async () => {
    const descriptors = () => readdirSync('/proc/self/fd').length;
    await using good = await hold(host.bus, 'risk-engine', { pool: 'risk', bytes: 4096 });
    await using stranger = await Peer.connect(host.config.host.socket);
    using file = Descriptor.adopt(openSync('/dev/zero', 'r+'));
    using wake = createWake();
    const attach = { type: 'attach-wake', id: 9, segment: good.segment };
    // The agent has accepted the stranger once it has answered it.
    expect((await stranger.ask(attach)).reply).toMatchObject({ fault: { code: 'unknown_segment' } });
    const before = descriptors();
    for (let round = 0; round < 20; round += 1) {
      const bare = await good.peer.ask(attach);
      expect(bare.reply).toMatchObject({ type: 'error', fault: { code: 'protocol_violation' } });
      const wrong = await good.peer.ask(attach, [file, file, file]);
      expect(wrong.reply).toMatchObject({ fault: { code: 'invalid_request' } });
      const foreign = await stranger.ask(attach, [wake.signalDescriptor]);
      expect(foreign.reply).toMatchObject({ fault: { code: 'unknown_segment' } });
    }
    // What a stranger sent is closed on a thread of its own.
    await eventually(descriptors, (count) => count === before, { what: 'as many descriptors as before' });
    expect((await good.peer.ask(attach, [wake.signalDescriptor])).reply).toMatchObject({ type: 'done' });
    for (let round = 0; round < 20; round += 1)
      expect((await good.peer.ask(attach, [wake.signalDescriptor])).reply).toMatchObject({
        fault: { code: 'conflict' },
      });
    await eventually(descriptors, (count) => count === before + 1, { what: 'one descriptor more' });
    expect(good.peer.connection.closed).toBe(false);
  });

  it('costs no descriptor and no lease, however often it is opened, joined and left', async () => {
    await using owner = await enter('market-data');
    await using reader = await enter('risk-engine');
    const turn = async () => {
      const channel = name();
      await using publisher = await owner.publish(channel, { frameBytes: 64, readers: 'any' });
      await using subscription = await reader.subscribe(channel, { from: 'market-data' });
      await carries(publisher, subscription, 1);
    };
    const figures = () => ({
      descriptors: readdirSync('/proc/self/fd').length,
      leases: host.agent.agent.table.leases.size,
    });
    await turn();
    const before = await eventually(figures, ({ leases }) => leases === 0, { what: 'the first turn to end' });
    for (let round = 0; round < 20; round += 1) await turn();
    await eventually(figures, ({ leases }) => leases === 0, { what: 'all leases to end' });
    await eventually(figures, (now) => now.descriptors <= before.descriptors, {
      what: `${before.descriptors} descriptors as before`,
    });
  });
});
