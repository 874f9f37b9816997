import { dataSubject, permissionsOf } from '@nautilus/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Bus } from './bus.ts';
import type { FramePart } from './data.ts';
import { createNkey } from './keys.ts';
import { generateServerConfig } from './server-config.ts';
import { type NatsServer, startNats } from './testing/nats-server.ts';
import { eventually, recordingLog, testBus } from './testing/setup.ts';

const at = { host: 'h1', publisher: 'market-data', subscriber: 'risk-engine', channel: 'quotes' };
const first: FramePart = { stream: 's-00000001', sequence: 0, part: 0, parts: 1, length: 3 };

describe('frames of a channel', () => {
  let nats: NatsServer;
  const seeds = new Map<string, string>();
  const open: Bus[] = [];
  const enter = async (party: string, more = {}): Promise<Bus> => {
    const credentials = { nkeySeed: seeds.get(party) ?? '' };
    const bus = await testBus(nats, party, { credentials, inboxPrefix: `_INBOX.${party}`, ...more });
    open.push(bus);
    return bus;
  };
  beforeAll(async () => {
    const users = ['market-data', 'risk-engine', 'sandbox'].map((party) => {
      const { seed, publicKey } = createNkey();
      seeds.set(party, seed);
      return { name: party, nkey: publicKey, ...permissionsOf('container', { host: 'h1', party }) };
    });
    const config = generateServerConfig({ users, port: 4222, storeDir: null, maximumPayloadBytes: 4096 });
    nats = await startNats({ config });
  });
  afterAll(async () => {
    for (const bus of open) await bus.close();
    await nats[Symbol.asyncDispose]();
  });

  test('arrive with their header, and as they were when they were published', async () => {
    const publisher = await enter('market-data');
    const subscriber = await enter('risk-engine');
    const taken: { part: FramePart; bytes: number[] }[] = [];
    const subscription = await subscriber.subscribeData(at, (part, bytes) =>
      taken.push({ part, bytes: [...bytes] }),
    );
    expect(publisher.largestPartBytes).toBe(2048);
    const frame = Uint8Array.of(1, 2, 3);
    expect(publisher.publishData(at, first, frame)).toBe(true);
    frame.fill(9);
    publisher.publishData(at, { ...first, sequence: 0xffff_ffff, parts: 0, length: 0 }, new Uint8Array());
    await eventually('both', () => taken.length === 2);
    expect(taken).toEqual([
      { part: first, bytes: [1, 2, 3] },
      { part: { ...first, sequence: 0xffff_ffff, parts: 0, length: 0 }, bytes: [] },
    ]);
    await subscription.drain();
    publisher.publishData(at, first, frame);
    await publisher.flush();
    expect(taken).toHaveLength(2);
  });

  test('that lie about themselves are dropped and counted', async () => {
    const publisher = await enter('market-data');
    const subscriber = await enter('risk-engine', { log: recordingLog() });
    const taken: FramePart[] = [];
    const subscription = await subscriber.subscribeData(at, (part) => taken.push(part));
    publisher.publishData(at, { ...first, length: 2 }, Uint8Array.of(1, 2, 3));
    publisher.publishData(at, { ...first, part: 5, parts: 2 }, Uint8Array.of(1));
    publisher.publishData(at, { ...first, sequence: -1 }, Uint8Array.of(1));
    publisher.publishData(at, { ...first, stream: 'two words' }, Uint8Array.of(1));
    publisher.publishData(at, first, Uint8Array.of(1, 2, 3));
    await eventually('the good one', () => taken.length === 1);
    expect(subscriber.stats.invalidMessages).toBe(4);
    await subscription.drain();
  });

  test('that cannot be taken are counted, and the connection hears on', async () => {
    const publisher = await enter('market-data');
    const subscriber = await enter('risk-engine', { log: recordingLog() });
    const taken: number[] = [];
    const subscription = await subscriber.subscribeData(at, ({ sequence }) => {
      if (sequence === 0) throw new RangeError('by the test');
      taken.push(sequence);
    });
    publisher.publishData(at, first, Uint8Array.of(1, 2, 3));
    publisher.publishData(at, { ...first, sequence: 1 }, Uint8Array.of(1, 2, 3));
    await eventually('the second', () => taken.length === 1);
    expect(subscriber.stats.handlerErrors).toBe(1);
    await subscriber.flush();
    await subscription.drain();
  });

  test('are heard by their subscriber alone, and come from their publisher alone', async () => {
    const stranger = await enter('sandbox', { log: recordingLog() });
    await expect(stranger.subscribeData(at, () => undefined)).rejects.toMatchObject({
      code: 'permission_denied',
      message: expect.stringContaining(dataSubject(at)),
    });
    stranger.publishData(at, first, Uint8Array.of(1));
    await stranger.flush();
    await eventually('the refusal', () => stranger.stats.permissionViolations === 2);
    // Its own name as the subscriber is no way around it: the publisher's token is not its own.
    stranger.publishData({ ...at, subscriber: 'sandbox' }, first, Uint8Array.of(1));
    await stranger.flush();
    await eventually('the second refusal', () => stranger.stats.permissionViolations === 3);
  });

  test('are refused while the link is down', async () => {
    const own = await startNats();
    const bus = await testBus(own, 'x');
    await own.stop();
    await eventually('the loss', () => bus.state === 'disconnected');
    expect(bus.publishData(at, first, Uint8Array.of(1))).toBe(false);
    expect(bus.stats.publishesDropped).toBe(1);
    await bus.close();
    await own[Symbol.asyncDispose]();
  });
});
