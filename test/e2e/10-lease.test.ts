/** The first path: a container asks over NATS, exchanges its ticket on the socket, maps, writes, releases. */
import { exchanges, NautilusError } from '@nautilus/contracts';
import { type Descriptor, inspectDescriptor, mapSegment } from '@nautilus/native';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Host, startHost } from '../support/host.ts';
import { Peer } from '../support/peer.ts';

const mib = 2 ** 20;

describe('a lease', () => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost();
  });
  afterAll(() => host[Symbol.asyncDispose]());
  const at = { host: 'h1', party: 'risk-engine' };

  it('is answered with a ticket, and the ticket with zeroed memory that only the owner has touched', async () => {
    const lease = await host.bus.request(exchanges.leaseSegment, at, { pool: 'risk', bytes: 3 * mib });
    expect(lease).toMatchObject({ pool: 'risk', region: 'cpu-cache-friendly', bytes: 3 * mib });
    await using peer = await Peer.connect(lease.socketPath);
    const { reply, descriptors } = await peer.redeem('risk-engine', lease.ticket);
    expect(reply).toMatchObject({
      type: 'segment',
      segment: lease.segment,
      access: 'read-write',
      bytes: 3 * mib,
    });
    const payload = descriptors[0] as Descriptor;
    expect(inspectDescriptor(payload)).toMatchObject({
      bytes: 3 * mib,
      sealedShrink: true,
      sealedGrow: true,
      writable: true,
    });
    using mapping = mapSegment(payload, { access: 'read-write' });
    expect(mapping.residentBytes()).toBe(0);
    const view = mapping.view(0, mapping.bytes);
    expect(view.every((byte) => byte === 0)).toBe(true);
    view.fill(7);
    expect(mapping.residentBytes()).toBe(3 * mib);
    await peer.ask({ type: 'mapped', id: 2, segment: lease.segment });
    const described = await host.bus.request(exchanges.describeSegments, at, {});
    expect(described.segments).toMatchObject([
      { segment: lease.segment, state: 'mapped', access: 'read-write', expiresAt: null },
    ]);
    // Released, but this process still maps it: the bytes are not free before it says so.
    const released = await host.bus.request(exchanges.releaseSegment, at, { segment: lease.segment });
    expect(released).toMatchObject({ releasedBytes: 0, lingeringBytes: 3 * mib });
    expect((await peer.next()).reply).toMatchObject({
      type: 'ended',
      segment: lease.segment,
      reason: 'release',
    });
    mapping.close();
    await peer.ask({ type: 'closed', id: 3, segment: lease.segment });
    expect(host.agent.agent.accounts.lingeringBytes).toBe(0);
    for (const descriptor of descriptors) descriptor.close();
  });

  it('ends once: the second release is an error', async () => {
    const { segment } = await host.bus.request(exchanges.leaseSegment, at, { pool: 'risk', bytes: mib });
    await host.bus.request(exchanges.releaseSegment, at, { segment });
    await expect(host.bus.request(exchanges.releaseSegment, at, { segment })).rejects.toMatchObject({
      code: 'unknown_segment',
    });
  });

  it('expires without a sign of life, and lives on with one', async () => {
    const short = { pool: 'risk', bytes: mib, ttlMs: 300 };
    const dies = await host.bus.request(exchanges.leaseSegment, at, short);
    const lives = await host.bus.request(exchanges.leaseSegment, at, short);
    const extended = await host.bus.request(exchanges.extendLease, at, {
      segment: lives.segment,
      ttlMs: 60_000,
    });
    expect(extended.expiresAt).toBeGreaterThan(lives.expiresAt + 50_000);
    await new Promise((resolve) => setTimeout(resolve, 900));
    const { segments } = await host.bus.request(exchanges.describeSegments, at, {});
    expect(segments.map(({ segment }) => segment)).toEqual([lives.segment]);
    await expect(
      host.bus.request(exchanges.extendLease, at, { segment: dies.segment }),
    ).rejects.toBeInstanceOf(NautilusError);
    await host.bus.request(exchanges.releaseSegment, at, { segment: lives.segment });
  });

  it('keeps to the budget and says asked, granted and available', async () => {
    const { budgetBytes } = await host.bus.request(exchanges.describeSegments, at, {});
    const error = await host.bus
      .request(exchanges.leaseSegment, at, { pool: 'risk', bytes: budgetBytes + mib })
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'over_budget',
      details: { scope: 'container', asked: budgetBytes + mib, granted: 0, available: budgetBytes },
    });
  });

  it('takes the usual segment of the pool when asked to, and less where the budget is short', async () => {
    const usual = (bytes: number) =>
      host.bus.request(exchanges.leaseSegment, at, { pool: 'risk', bytes, usual: true });
    const { budgetBytes } = await host.bus.request(exchanges.describeSegments, at, {});
    const first = await usual(1000);
    expect(first.bytes).toBe(16 * mib);
    const most = await host.bus.request(exchanges.leaseSegment, at, {
      pool: 'risk',
      bytes: budgetBytes - 17 * mib,
    });
    const last = await usual(1000);
    expect(last.bytes).toBe(4096);
    for (const { segment } of [first, most, last])
      await host.bus.request(exchanges.releaseSegment, at, { segment });
  });

  it('gives the same ticket only once, to the right container, before it expires', async () => {
    const lease = await host.bus.request(exchanges.leaseSegment, at, { pool: 'risk', bytes: mib });
    await using peer = await Peer.connect(lease.socketPath);
    expect((await peer.redeem('ml-engine', lease.ticket)).reply).toMatchObject({
      type: 'error',
      fault: { code: 'ticket_foreign' },
    });
    const first = await peer.redeem('risk-engine', lease.ticket);
    expect(first.reply.type).toBe('segment');
    expect((await peer.redeem('risk-engine', lease.ticket)).reply).toMatchObject({
      fault: { code: 'ticket_used' },
    });
    expect((await peer.redeem('risk-engine', 'a-ticket-that-nobody-issued')).reply).toMatchObject({
      fault: { code: 'ticket_unknown' },
    });
    for (const descriptor of first.descriptors) descriptor.close();
    await host.bus.request(exchanges.releaseSegment, at, { segment: lease.segment });
  });
});
