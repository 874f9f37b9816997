/** What a restart of the agent must not forget: who may still map what, which segments are sealed, and whose is whose. */
import { openSync } from 'node:fs';
import { exchanges } from '@nautilus/contracts';
import { createSegment, Descriptor, mapSegment, NativeError } from '@nautilus/native';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Holding, hold, read } from '../support/holding.ts';
import { type Host, startHost } from '../support/host.ts';
import { Peer } from '../support/peer.ts';

const mib = 2 ** 20;
const owner = { host: 'h1', party: 'market-data' };

describe('after a restart of the agent', () => {
  let host: Host;
  beforeEach(async () => {
    host = await startHost({ allocator: { port: 0, return_grace: '800ms', observe_interval: '200ms' } });
  });
  afterEach(() => host[Symbol.asyncDispose]());
  const books = () => host.agent.agent.accounts;
  const giveBack = async (container: string, holding: Holding, access: 'read-write' | 'read-only') => {
    const peer = await Peer.connect(host.config.host.socket);
    const { segment, secret, descriptors } = holding;
    return {
      peer,
      answer: await peer.ask({ type: 'return', id: 9, container, segment, access, secret }, descriptors),
    };
  };

  it('an owner cannot get a second object for a segment whose first holder is on its way back', async () => {
    await using held = await hold(host.bus, 'market-data', { pool: 'trading', bytes: mib });
    held.mapping.view(0, 1)[0] = 42;
    await host.restartAgent();
    await expect(read(host.bus, 'market-data', held.segment)).rejects.toThrow(/not back from its holder/);
    const { peer, answer } = await giveBack('market-data', held, 'read-write');
    expect(answer.reply).toMatchObject({ type: 'returned' });
    await using second = await read(host.bus, 'market-data', held.segment);
    expect(second.mapping.view(0, 1)[0]).toBe(42);
    await peer[Symbol.asyncDispose]();
  });

  it('lingering bytes stay in the books for who still maps them, and go when nobody came back', async () => {
    await using writer = await hold(host.bus, 'market-data', { pool: 'trading', bytes: 2 * mib });
    await host.bus.request(exchanges.grantSegment, owner, { segment: writer.segment, to: 'risk-engine' });
    await using reader = await read(host.bus, 'risk-engine', writer.segment);
    await host.bus.request(exchanges.releaseSegment, owner, { segment: writer.segment });
    expect(books().lingeringBytes).toBe(2 * mib);
    await host.restartAgent();
    expect(books().lingeringBytes).toBe(2 * mib);
    const { peer, answer } = await giveBack('risk-engine', reader, 'read-only');
    expect(answer.reply).toMatchObject({ type: 'returned' });
    expect((await peer.next()).reply).toMatchObject({ type: 'ended', segment: writer.segment });
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(books().lingeringBytes).toBe(2 * mib);
    await peer[Symbol.asyncDispose]();
    await eventually(
      () => books().lingeringBytes,
      (bytes) => bytes === 0,
      { what: 'the reader to be gone' },
    );
  });

  it('a seal that was written down and not applied is applied when the segment comes back', async () => {
    await using writer = await hold(host.bus, 'market-data', { pool: 'trading', bytes: mib });
    // The agent died between the line in the journal and the seal.
    host.agent.agent.table.journal.append({ op: 'sealed', segment: writer.segment });
    await host.restartAgent();
    const { peer } = await giveBack('market-data', writer, 'read-write');
    const granted = await host.bus.request(exchanges.grantSegment, owner, {
      segment: writer.segment,
      to: 'risk-engine',
    });
    expect(granted.writesSealed).toBe(true);
    await using reader = await read(host.bus, 'risk-engine', writer.segment);
    using reopened = Descriptor.adopt(
      openSync(`/proc/self/fd/${(reader.descriptors[0] as Descriptor).fd}`, 'r+'),
    );
    expect(() => mapSegment(reopened, { access: 'read-write' })).toThrow(NativeError);
    await peer[Symbol.asyncDispose]();
  });

  it('a forged descriptor is not taken for the segment, even with the right secret', async () => {
    await using held = await hold(host.bus, 'market-data', { pool: 'trading', bytes: mib });
    await host.restartAgent();
    using forged = createSegment({ name: 'forged', bytes: mib });
    const { peer, answer } = await giveBack('market-data', { ...held, descriptors: [forged] }, 'read-write');
    expect(answer.reply).toMatchObject({ type: 'error', fault: { code: 'permission_denied' } });
    await peer[Symbol.asyncDispose]();
  });
});
