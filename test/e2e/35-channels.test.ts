/** Channels between containers of one host, with a real NATS and agent: rights, ends, policies, and frames over NATS. */
import { type Bus, connectBus } from '@nautilus/bus';
import { connect, type NautilusClient } from '@nautilus/client';
import { dataSubject } from '@nautilus/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Host, startHost } from '../support/host.ts';

const quote = {
  bytes: 16,
  encode: ({ price, size }: { price: number; size: number }, into: Uint8Array) => {
    const view = new DataView(into.buffer, into.byteOffset, 16);
    view.setFloat64(0, price);
    view.setFloat64(8, size);
    return 16;
  },
  decode: (from: { readonly [index: number]: number }) => {
    const view = new DataView(Uint8Array.from({ length: 16 }, (_, index) => from[index] ?? 0).buffer);
    return { price: view.getFloat64(0), size: view.getFloat64(8) };
  },
};

describe('a channel', () => {
  let host: Host;
  let number = 0;
  const clients: NautilusClient[] = [];
  beforeAll(async () => {
    host = await startHost();
  });
  afterAll(async () => {
    for (const client of clients) await client.close();
    await host[Symbol.asyncDispose]();
  });
  const enter = async (container: string, options: { sharedMemory?: boolean } = {}) => {
    const client = await connect({ container, servers: host.nats.url, ...options });
    clients.push(client);
    return client;
  };
  const name = () => {
    number += 1;
    return `quotes-${number}`;
  };
  const leases = (container: string) =>
    host.agent.agent.accounts.containers.get(container)?.leases ?? Number.NaN;

  it('hands frames over in place: what is written by one is read by the other, without a byte over NATS', async () => {
    const channel = name();
    await using ownerBus = await connectBus({ servers: host.nats.url, name: 'market-data' });
    await using readerBus = await connectBus({ servers: host.nats.url, name: 'risk-engine' });
    await using owner = await connect({ container: 'market-data', bus: ownerBus });
    await using reader = await connect({ container: 'risk-engine', bus: readerBus });
    const publisher = await owner.publish(channel, { frameBytes: 4096, readers: ['risk-engine'] });
    const subscription = await reader.subscribe(channel, { from: 'market-data' });
    expect([subscription.copied, subscription.reason]).toEqual([false, null]);
    const said = () =>
      [ownerBus, readerBus].map(({ stats }) => stats.published + stats.requests + stats.handled);
    const before = said();
    for (let index = 0; index < 1000; index += 1) {
      const frame = publisher.loan();
      frame?.bytes.fill(index & 255, 0, 100);
      if (frame !== null) publisher.publish(frame, 100);
      const message = subscription.take();
      expect([message?.sequence, message?.length, message?.copied]).toEqual([index, 100, false]);
      expect(message?.bytes[99]).toBe(index & 255);
      message?.release();
    }
    expect(owner.stats()).toMatchObject({ framesPublished: 1000, bytesCopied: 0 });
    expect(reader.stats()).toMatchObject({
      framesTaken: 1000,
      bytesCopied: 0,
      segmentsHeld: 1,
      segmentsOpen: 1,
    });
    expect(said()).toEqual(before);
    expect(subscription.dropped).toBe(0);
  });

  it('carries typed values, keeps what a newcomer should see, and iterates until it is closed', async () => {
    const channel = name();
    await using owner = await enter('market-data');
    await using reader = await enter('risk-engine');
    const publisher = await owner.publish(channel, { codec: quote, history: 4, readers: 'any' });
    for (let size = 0; size < 10; size += 1) expect(publisher.send({ price: 1.5, size })).toBe(true);
    const subscription = await reader.subscribe(channel, { from: 'market-data', codec: quote });
    const seen: number[] = [];
    const reading = (async () => {
      for await (const message of subscription) {
        expect(message.value.price).toBe(1.5);
        seen.push(message.value.size);
        message.release();
      }
    })();
    await eventually(
      () => seen.length,
      (count) => count === 4,
    );
    publisher.send({ price: 1.5, size: 10 });
    await publisher.close();
    await reading;
    expect(seen).toEqual([6, 7, 8, 9, 10]);
    expect(subscription.endReason).toBe('closed');
    await subscription.close();
    await eventually(
      () => [leases('market-data'), leases('risk-engine')],
      ([published, read]) => published === 0 && read === 0,
      { what: 'both leases to end' },
    );
  });

  it('is for its readers: a stranger is refused, and learns nothing', async () => {
    const channel = name();
    await using owner = await enter('market-data');
    await using stranger = await enter('sandbox');
    await using reader = await enter('risk-engine');
    await owner.publish(channel, { frameBytes: 64, readers: ['risk-engine'] });
    const refusal = async (of: string) => {
      const error = await stranger.subscribe(of, { from: 'market-data' }).then(
        () => null,
        (thrown: { code: string; message: string }) => thrown,
      );
      return `${error?.code} ${error?.message.replaceAll(of, '…')}`;
    };
    expect(await refusal(channel)).toBe(await refusal('no-such-channel'));
    expect(await refusal(channel)).toMatch(/^unknown_channel/);
    expect(await stranger.channels()).toEqual([]);
    expect(await reader.channels({ from: 'market-data' })).toEqual([{ channel, from: 'market-data' }]);
    expect((await stranger.describe()).segments).toEqual([]);
    // The cursor that it had leased for the attempt is given back.
    expect(leases('sandbox')).toBe(0);
  });

  it('makes the publisher wait under "block", and lets it go on when the slow one has left', async () => {
    const channel = name();
    await using owner = await enter('market-data');
    await using reader = await enter('risk-engine');
    const publisher = await owner.publish(channel, {
      frameBytes: 64,
      entries: 4,
      policy: 'block',
      readers: ['risk-engine'],
    });
    const subscription = await reader.subscribe(channel, { from: 'market-data' });
    for (let index = 0; index < 4; index += 1) expect(publisher.send(Uint8Array.of(index))).toBe(true);
    expect(publisher.send(Uint8Array.of(4))).toBe(false);
    const frame = publisher.loan();
    if (frame === null) throw new Error('there is a loan');
    expect(() => publisher.publish(frame, 1)).toThrow(expect.objectContaining({ code: 'overloaded' }));
    const waiting = publisher.publishWaiting(frame, 1);
    const underWay = expect.objectContaining({ code: 'invalid_request' });
    expect(() => publisher.send(Uint8Array.of(9))).toThrow(underWay);
    subscription.take()?.release();
    expect(await waiting).toBe(true);
    expect(publisher.send(Uint8Array.of(5))).toBe(false);
    await subscription.close();
    await eventually(
      () => publisher.send(Uint8Array.of(5)),
      (isOut) => isOut,
    );
    expect(publisher.stats().subscribers).toBe(0);
  });

  it('has figures after it ended under a subscriber', async () => {
    const channel = name();
    await using owner = await enter('market-data');
    await using reader = await enter('risk-engine');
    const publisher = await owner.publish(channel, { frameBytes: 64, readers: ['risk-engine'] });
    await reader.subscribe(channel, { from: 'market-data' });
    expect(publisher.stats().subscribers).toBe(1);
    await publisher.close();
    expect(publisher.stats()).toMatchObject({ published: 0, subscribers: 0 });
  });

  it('wakes who waits, in the time of a wake-up', async () => {
    const channel = name();
    await using owner = await enter('market-data');
    await using reader = await enter('risk-engine');
    const publisher = await owner.publish(channel, { frameBytes: 64, readers: 'any' });
    const subscription = await reader.subscribe(channel, { from: 'market-data' });
    for (let index = 0; index < 50; index += 1) {
      const waiting = subscription.next({ timeoutMs: 5_000 });
      await new Promise((resolve) => setImmediate(resolve));
      publisher.send(Uint8Array.of(index));
      const message = await waiting;
      expect(message?.bytes[0]).toBe(index);
      message?.release();
    }
    expect(await subscription.next({ timeoutMs: 20 })).toBeNull();
    const abort = new AbortController();
    const given = subscription.next({ signal: abort.signal });
    abort.abort();
    expect(await given).toBeNull();
  });

  it('goes to who cannot map it over NATS, whole and in order, and says so', async () => {
    const channel = name();
    await using owner = await enter('market-data');
    await using far = await enter('risk-engine', { sharedMemory: false });
    await using near = await enter('analytics-engine');
    const frameBytes = 3 * 2 ** 20;
    const publisher = await owner.publish(channel, {
      frameBytes,
      entries: 4,
      history: 2,
      maximumSubscribers: 1,
      maximumHeld: 2,
      readers: ['risk-engine', 'analytics-engine'],
    });
    publisher.send(Uint8Array.of(1));
    publisher.send(Uint8Array.of(2));
    const inPlace = await near.subscribe(channel, { from: 'market-data' });
    const copied = await far.subscribe(channel, { from: 'market-data' });
    expect([copied.copied, copied.reason]).toEqual([true, expect.stringContaining('sharedMemory: false')]);
    const large = Uint8Array.from({ length: frameBytes }, (_, index) => (index * 7) & 255);
    publisher.send(large);
    const taken: { sequence: number; bytes: Uint8Array }[] = [];
    for await (const message of copied) {
      expect(message.copied).toBe(true);
      taken.push({ sequence: message.sequence, bytes: message.bytes as unknown as Uint8Array });
      message.release();
      expect(() => message.release()).toThrow(expect.objectContaining({ code: 'already_released' }));
      if (taken.length === 3) break;
    }
    expect(taken.map(({ sequence }) => sequence)).toEqual([0, 1, 2]);
    expect(Buffer.compare(taken[2]?.bytes ?? large.subarray(1), large)).toBe(0);
    expect(copied.dropped).toBe(0);
    expect(far.stats().bytesCopied).toBe(frameBytes + 2);
    expect(owner.stats().bytesCopied).toBe(frameBytes + 2);
    expect(near.stats().bytesCopied).toBe(0);
    for (const sequence of [0, 1, 2]) {
      const message = inPlace.take();
      expect(message?.sequence).toBe(sequence);
      message?.release();
    }
    await publisher.close();
    expect(await copied.next()).toBeNull();
    expect(copied.endReason).toBe('closed');
  });

  it('publishes on NATS only while somebody reads copies, and only to them', async () => {
    const channel = name();
    await using owner = await enter('market-data');
    await using near = await enter('analytics-engine');
    await using listening: Bus = await connectBus({ servers: host.nats.url, name: 'listener' });
    const heard: string[] = [];
    for (const subscriber of ['analytics-engine', 'risk-engine']) {
      const at = { host: 'h1', publisher: 'market-data', subscriber, channel };
      await listening.subscribeData(at, () => heard.push(dataSubject(at)));
    }
    const publisher = await owner.publish(channel, { frameBytes: 64, readers: 'any' });
    const inPlace = await near.subscribe(channel, { from: 'market-data' });
    const send = async () => {
      publisher.send(Uint8Array.of(1));
      await owner.describe();
      await listening.flush();
    };
    await send();
    expect(heard).toEqual([]);
    const far = await enter('risk-engine', { sharedMemory: false });
    const copied = await far.subscribe(channel, { from: 'market-data' });
    await send();
    expect(heard).toEqual([`nautilus.v1.data.h1.market-data.risk-engine.${channel}`]);
    await copied.close();
    await send();
    expect(heard).toHaveLength(1);
    expect(inPlace.dropped).toBe(0);
  });

  it('refuses what makes no sense, naming it', async () => {
    await using owner = await enter('market-data');
    await using isolated = await enter('sandbox', { sharedMemory: false });
    const wrong = (options: object, what: RegExp, code = 'invalid_request') =>
      expect(
        owner.publish(name(), { frameBytes: 64, readers: 'any', ...options } as never),
      ).rejects.toMatchObject({ code, message: expect.stringMatching(what) });
    await wrong({ entries: 3 }, /entries.*power of two/);
    await wrong({ frameBytes: undefined }, /frameBytes/);
    await wrong({ policy: 'sometimes' }, /policy/);
    await wrong({ pool: 'nowhere' }, /nowhere/, 'unknown_pool');
    await expect(owner.publish('Two Words', { frameBytes: 64, readers: 'any' })).rejects.toMatchObject({
      message: expect.stringContaining('Two Words'),
    });
    const channel = name();
    const publisher = await owner.publish(channel, { frameBytes: 64, readers: 'any' });
    await expect(owner.publish(channel, { frameBytes: 64, readers: 'any' })).rejects.toMatchObject({
      code: 'conflict',
    });
    await expect(owner.subscribe(channel, { from: 'market-data' })).rejects.toMatchObject({
      code: 'unknown_channel',
    });
    await expect(isolated.publish('x', { frameBytes: 64, readers: 'any' })).rejects.toMatchObject({
      code: 'unsupported',
    });
    expect(() => publisher.send(new Uint8Array(65))).toThrow(
      expect.objectContaining({ code: 'invalid_size' }),
    );
    await publisher.close();
    expect(() => publisher.loan()).toThrow(expect.objectContaining({ code: 'already_released' }));
    expect(leases('market-data')).toBe(0);
  });
});
