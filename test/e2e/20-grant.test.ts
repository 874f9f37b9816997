/** Sharing: the owner grants, another container reads in place, and nobody but the owner can ever write. */
import { openSync } from 'node:fs';
import { exchanges } from '@nautilus/contracts';
import { Descriptor, inspectDescriptor, mapSegment, NativeError } from '@nautilus/native';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { hold, read } from '../support/holding.ts';
import { type Host, startHost } from '../support/host.ts';

const mib = 2 ** 20;
const owner = { host: 'h1', party: 'market-data' };

describe('a grant', () => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost();
  });
  afterAll(() => host[Symbol.asyncDispose]());
  const poolBytes = () => host.agent.agent.accounts.pools.get('trading')?.leasedBytes;

  it('lets a reader see in place what the owner writes, without any message', async () => {
    await using writer = await hold(host.bus, 'market-data', { pool: 'trading', bytes: 2 * mib });
    const granted = await host.bus.request(exchanges.grantSegment, owner, {
      segment: writer.segment,
      to: 'risk-engine',
    });
    expect(granted).toMatchObject({ writesSealed: true, reason: null });
    await using reader = await read(host.bus, 'risk-engine', writer.segment);
    const [a, b] = [writer.descriptors[0], reader.descriptors[0]].map((one) =>
      inspectDescriptor(one as Descriptor),
    );
    expect([b?.device, b?.inode]).toEqual([a?.device, a?.inode]);
    expect(b?.writable).toBe(false);
    const written = writer.mapping.view(mib, 5);
    const seen = reader.mapping.view(mib, 5);
    for (const value of [1, 2, 3]) {
      written.fill(value);
      expect([...seen]).toEqual([value, value, value, value, value]);
    }
  });

  it('cannot be turned into a right to write, not even by reopening the descriptor through /proc', async () => {
    await using writer = await hold(host.bus, 'market-data', { pool: 'trading', bytes: mib });
    await host.bus.request(exchanges.grantSegment, owner, { segment: writer.segment, to: 'risk-engine' });
    await using reader = await read(host.bus, 'risk-engine', writer.segment);
    const descriptor = reader.descriptors[0] as Descriptor;
    expect(() => mapSegment(descriptor, { access: 'read-write' })).toThrow(NativeError);
    using reopened = Descriptor.adopt(openSync(`/proc/self/fd/${descriptor.fd}`, 'r+'));
    expect(() => mapSegment(reopened, { access: 'read-write' })).toThrow(NativeError);
    writer.mapping.view(0, 1)[0] = 42;
    expect(reader.mapping.view(0, 1)[0]).toBe(42);
  });

  it('needs an owner that has mapped, a reader that exists, and somebody else than the owner', async () => {
    await using unmapped = await hold(
      host.bus,
      'market-data',
      { pool: 'trading', bytes: mib },
      { confirm: false },
    );
    const grant = (to: string) =>
      host.bus.request(exchanges.grantSegment, owner, { segment: unmapped.segment, to });
    await expect(grant('risk-engine')).rejects.toMatchObject({ code: 'not_mapped' });
    await expect(grant('nobody')).rejects.toMatchObject({ code: 'unknown_container' });
    await expect(grant('market-data')).rejects.toMatchObject({ code: 'invalid_request' });
  });

  it('is for the named container only: others neither open nor see the segment', async () => {
    await using writer = await hold(host.bus, 'market-data', { pool: 'trading', bytes: mib });
    await host.bus.request(exchanges.grantSegment, owner, { segment: writer.segment, to: 'risk-engine' });
    const other = { host: 'h1', party: 'ml-engine' };
    await expect(
      host.bus.request(exchanges.openSegment, other, { segment: writer.segment }),
    ).rejects.toMatchObject({ code: 'unknown_segment' });
    await expect(
      host.bus.request(exchanges.grantSegment, other, { segment: writer.segment, to: 'archive' }),
    ).rejects.toMatchObject({ code: 'unknown_segment' });
    expect((await host.bus.request(exchanges.describeSegments, other, {})).segments).toEqual([]);
  });

  it('can be revoked: readers are told, and the next open is refused', async () => {
    await using writer = await hold(host.bus, 'market-data', { pool: 'trading', bytes: mib });
    await host.bus.request(exchanges.grantSegment, owner, { segment: writer.segment, to: 'risk-engine' });
    await using reader = await read(host.bus, 'risk-engine', writer.segment);
    const revoked = await host.bus.request(exchanges.revokeGrant, owner, {
      segment: writer.segment,
      from: 'risk-engine',
    });
    expect(revoked.stillMapped).toBe(true);
    expect((await reader.peer.next()).reply).toMatchObject({
      type: 'ended',
      segment: writer.segment,
      reason: 'grant revoked',
    });
    await expect(read(host.bus, 'risk-engine', writer.segment)).rejects.toThrow();
  });

  it('keeps the bytes in the books until the last reader lets go of an ended lease', async () => {
    await eventually(poolBytes, (bytes) => bytes === 0, { what: 'earlier leases to end' });
    await using writer = await hold(host.bus, 'market-data', { pool: 'trading', bytes: 4 * mib });
    await host.bus.request(exchanges.grantSegment, owner, { segment: writer.segment, to: 'risk-engine' });
    await using reader = await read(host.bus, 'risk-engine', writer.segment);
    writer.mapping.view(0, 3).fill(9);
    const released = await host.bus.request(exchanges.releaseSegment, owner, { segment: writer.segment });
    expect(released).toMatchObject({ releasedBytes: 0, lingeringBytes: 4 * mib });
    expect((await reader.peer.next()).reply).toMatchObject({ type: 'ended', reason: 'release' });
    await writer.peer.next();
    await writer.peer.ask({ type: 'closed', id: 4, segment: writer.segment });
    expect(poolBytes()).toBe(4 * mib);
    expect([...reader.mapping.view(0, 3)]).toEqual([9, 9, 9]);
    await reader.peer.ask({ type: 'closed', id: 5, segment: writer.segment });
    expect(poolBytes()).toBe(0);
  });

  it('counts what lingers against the budget of its owner', async () => {
    await using writer = await hold(host.bus, 'market-data', { pool: 'trading', bytes: 8 * mib });
    await host.bus.request(exchanges.grantSegment, owner, { segment: writer.segment, to: 'risk-engine' });
    await using reader = await read(host.bus, 'risk-engine', writer.segment);
    await host.bus.request(exchanges.releaseSegment, owner, { segment: writer.segment });
    const { budgetBytes, leasedBytes } = await host.bus.request(exchanges.describeSegments, owner, {});
    expect(leasedBytes).toBe(0);
    await expect(
      host.bus.request(exchanges.leaseSegment, owner, { pool: 'trading', bytes: budgetBytes - 4 * mib }),
    ).rejects.toMatchObject({ code: 'over_budget', details: { scope: 'container', granted: 8 * mib } });
    expect(reader.mapping.bytes).toBe(8 * mib);
  });

  it('is refused for a segment that the agent keeps in a file', async () => {
    const { block, segment } = await host.bus.request(exchanges.allocateBlock, owner, {
      pool: 'temporary',
      bytes: 64,
    });
    await expect(
      host.bus.request(exchanges.grantSegment, owner, { segment, to: 'risk-engine' }),
    ).rejects.toMatchObject({
      code: 'unsupported',
    });
    await host.bus.request(exchanges.freeBlock, owner, { block });
  });

  it('leaves a second process of the owner without a new writable mapping, and says why', async () => {
    await using writer = await hold(host.bus, 'market-data', { pool: 'trading', bytes: mib });
    await host.bus.request(exchanges.grantSegment, owner, { segment: writer.segment, to: 'risk-engine' });
    await expect(read(host.bus, 'market-data', writer.segment)).rejects.toThrow(/sealed/);
  });
});
