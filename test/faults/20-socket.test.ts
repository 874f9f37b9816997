/** Hostile peers on the agent's socket: garbage, silence, foreign tickets, floods. Nobody else notices. */

import { mkdtempSync, openSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { takeSample } from '@nautilus/allocator';
import { exchanges, sampleTaken } from '@nautilus/contracts';
import { createArena, createSegment, Descriptor, mapSegment, probeHost } from '@nautilus/native';
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

  it('that comes back with a ledger that could shrink is taken back without it', async () => {
    const at = { host: 'h1', party: 'risk-engine' };
    await using good = await hold(host.bus, 'risk-engine', { pool: 'risk', bytes: mib });
    const lease = host.agent.agent.table.leases.get(good.segment);
    // As after a restart: the agent knows the segment and has no descriptor of it.
    lease?.ledger?.close();
    if (lease !== undefined) lease.ledger = null;
    const directory = mkdtempSync(join(tmpdir(), 'nautilus-ledger-'));
    for (const file of [join(directory, 'file'), '/dev/null']) {
      if (file !== '/dev/null') writeFileSync(file, Buffer.alloc(4096));
      await using peer = await Peer.connect(path());
      using impostor = Descriptor.adopt(openSync(file, 'r+'));
      const answer = await peer.ask(
        {
          type: 'return',
          id: 1,
          container: 'risk-engine',
          segment: good.segment,
          access: 'read-write',
          secret: good.secret,
        },
        [good.descriptors[0] as Descriptor, impostor],
      );
      expect(answer.reply.type).toBe('returned');
      expect(lease?.ledger).toBeNull();
      if (file !== '/dev/null') truncateSync(file, 0);
    }
    rmSync(directory, { recursive: true });
    expect((await host.bus.request(exchanges.describeSegments, at, {})).segments[0]?.liveBytes).toBeNull();
  });

  it('whose ledger is full of nonsense changes no figure beyond reason', async () => {
    await using good = await hold(host.bus, 'risk-engine', { pool: 'risk', bytes: mib });
    using ledger = mapSegment(good.descriptors[1] as Descriptor, { access: 'read-write' });
    const bytes = ledger.view(0, 4096);
    // Initialises the page; the nonsense then comes behind a good header.
    using _ = createArena({ strategy: 'first_fit', bytes: mib, minimumAlignment: 128, ledger });
    bytes.fill(255, 24);
    const { liveBytes } =
      (await host.bus.request(exchanges.describeSegments, { host: 'h1', party: 'risk-engine' }, {}))
        .segments[0] ?? {};
    expect(liveBytes).toBeLessThanOrEqual(mib);
    const sample = takeSample(host.agent.agent, probeHost(), 1);
    expect(sampleTaken.body.safeParse(sample).success).toBe(true);
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

  it('beyond the limit of connections makes the longest silent one go, not the newcomer', async () => {
    await eventually(
      () => host.agent.agent.table.leases.size,
      (count) => count === 0,
    );
    const silent = await Promise.all(Array.from({ length: 20 }, () => Peer.connect(path())));
    const refused = silent[0]?.next();
    await using good = await hold(host.bus, 'risk-engine', { pool: 'risk', bytes: mib });
    expect((await refused)?.reply).toMatchObject({
      fault: { message: expect.stringContaining('max_connections') },
    });
    expect(good.peer.connection.closed).toBe(false);
    for (const peer of silent) peer.connection.close();
    await Promise.all(silent.map((peer) => peer.closed));
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
    // Sockets are closed on a thread of their own.
    await eventually(descriptors, (count) => count <= before + 2, { what: 'as many descriptors as before' });
  });
});
