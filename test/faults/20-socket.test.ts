/** Hostile peers on the agent's socket: garbage, silence, foreign tickets, floods. Nobody else notices. */

import { readdirSync } from 'node:fs';
import { createConnection } from 'node:net';
import { exchanges } from '@nautilus/contracts';
import { createSegment } from '@nautilus/native';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { hold } from '../support/holding.ts';
import { type Host, startHost } from '../support/host.ts';
import { Peer } from '../support/peer.ts';

const mib = 2 ** 20;
const descriptors = () => readdirSync('/proc/self/fd').length;

describe("the socket's peer", () => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost({
      allocator: { port: 0, handshake_timeout: '300ms', max_connections: 20, ticket_ttl: '200ms' },
    });
  });
  afterAll(() => host[Symbol.asyncDispose]());
  const path = () => host.config.host.socket;
  const violations = () => host.agent.agent.table.counters.protocolViolations;

  it('that sends bytes that are no frame is closed, and a well-behaved one beside it is not', async () => {
    await using good = await hold(host.bus, 'risk-engine', { pool: 'risk', bytes: mib });
    for (const bytes of [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.alloc(4096, 255),
      Buffer.from([255, 255, 255, 127, 0, 0, 0, 0]),
    ]) {
      await new Promise<void>((resolve, reject) => {
        const socket = createConnection(path(), () => socket.write(bytes));
        socket.on('close', () => resolve());
        socket.on('error', (error: NodeJS.ErrnoException) =>
          error.code === 'EPIPE' || error.code === 'ECONNRESET' ? resolve() : reject(error),
        );
        socket.resume();
      });
    }
    expect(good.peer.connection.closed).toBe(false);
  });

  for (const [what, text] of [
    ['no JSON', 'hello'],
    ['an unknown type', '{"type":"give-me-everything","id":1}'],
    ['a ticket that is no text', '{"type":"redeem","id":1,"container":"risk-engine","ticket":5}'],
    ['a negative id', '{"type":"mapped","id":-1,"segment":"s-12345678"}'],
  ] as const) {
    it(`whose frame is ${what} is told so and closed`, async () => {
      const before = violations();
      const peer = await Peer.connect(path());
      const answer = peer.next();
      peer.connection.send(Buffer.from(text));
      expect((await answer).reply).toMatchObject({ type: 'error', fault: { code: 'protocol_violation' } });
      await peer.closed;
      expect(violations()).toBe(before + 1);
    });
  }

  it('that says nothing is closed after the handshake time', async () => {
    const peer = await Peer.connect(path());
    const startedAt = performance.now();
    await peer.closed;
    expect(performance.now() - startedAt).toBeGreaterThan(250);
  });

  it('that speaks of segments it never had gets errors and no descriptor', async () => {
    await using good = await hold(host.bus, 'risk-engine', { pool: 'risk', bytes: mib });
    await using peer = await Peer.connect(path());
    using fake = createSegment({ name: 'fake', bytes: mib });
    const claim = {
      type: 'return',
      id: 1,
      container: 'risk-engine',
      segment: good.segment,
      access: 'read-write',
    };
    const guessed = await peer.ask({ ...claim, secret: 'a'.repeat(43) }, [fake, fake]);
    expect(guessed.reply).toMatchObject({ type: 'error', fault: { code: 'permission_denied' } });
    // Even with the right secret a descriptor of other memory is not taken for the segment.
    const forged = await peer.ask({ ...claim, secret: good.secret }, [fake, fake]);
    expect(forged.reply).toMatchObject({
      fault: { code: 'permission_denied', message: expect.stringContaining('another object') },
    });
    const bare = await peer.ask({ ...claim, secret: good.secret });
    expect(bare.reply).toMatchObject({ fault: { code: 'protocol_violation' } });
    expect(guessed.descriptors).toEqual([]);
    good.mapping.view(0, 1)[0] = 5;
    expect(host.agent.agent.table.leases.get(good.segment)?.holders.size).toBe(1);
  });

  it('with an expired ticket is told how late it is', async () => {
    const lease = await host.bus.request(
      exchanges.leaseSegment,
      { host: 'h1', party: 'risk-engine' },
      { pool: 'risk', bytes: mib },
    );
    await new Promise((resolve) => setTimeout(resolve, 250));
    await using peer = await Peer.connect(path());
    expect((await peer.redeem('risk-engine', lease.ticket)).reply).toMatchObject({
      fault: { code: 'ticket_expired' },
    });
    await host.bus.request(
      exchanges.releaseSegment,
      { host: 'h1', party: 'risk-engine' },
      { segment: lease.segment },
    );
  });

  it('beyond the limit of connections is refused, and the limit is free again afterwards', async () => {
    await eventually(
      () => host.agent.agent.table.leases.size,
      (count) => count === 0,
    );
    const peers = await Promise.all(Array.from({ length: 25 }, () => Peer.connect(path())));
    const refused = await Promise.race(peers.slice(20).map((peer) => peer.next()));
    expect(refused.reply).toMatchObject({ fault: { message: expect.stringContaining('max_connections') } });
    for (const peer of peers) peer.connection.close();
    await Promise.all(peers.map((peer) => peer.closed));
    await using good = await hold(host.bus, 'risk-engine', { pool: 'risk', bytes: mib });
    expect(good.mapping.bytes).toBe(mib);
  });

  it('costs no descriptor, however often it comes and goes', async () => {
    const turn = async () => {
      await using held = await hold(host.bus, 'risk-engine', { pool: 'risk', bytes: mib });
      held.mapping.view(0, 1)[0] = 1;
    };
    await turn();
    await eventually(
      () => host.agent.agent.table.leases.size,
      (count) => count === 0,
    );
    const before = descriptors();
    for (let index = 0; index < 50; index += 1) await turn();
    await eventually(
      () => host.agent.agent.table.leases.size,
      (count) => count === 0,
    );
    expect(descriptors()).toBeLessThanOrEqual(before + 2);
  });
});
