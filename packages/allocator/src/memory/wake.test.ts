import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configSchema, type Result, scaleMemory, unwrap } from '@nautilus/contracts';
import { createSegment, createWake, Descriptor, type Wake } from '@nautilus/native';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Agent, createAgent } from '../agent.ts';
import { Journal } from './journal.ts';
import type { Lease } from './lease.ts';

const code = (result: Result<unknown>) => (result.ok ? 'ok' : result.fault.code);
const session = 1;

describe('attach-wake', () => {
  let directory: string;
  let journal: Journal;
  let agent: Agent;
  let wakes: Wake[];
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'nautilus-wake-'));
    journal = Journal.open(directory).journal;
    wakes = [];
    const config = configSchema.parse({ host: { state_dir: directory } });
    agent = createAgent({
      config,
      shape: scaleMemory(config, 2 ** 40),
      journal,
      events: { leased: () => {}, ended: () => {}, granted: () => {}, letGo: () => {} },
      key: Buffer.alloc(32),
      pageBytes: 4096,
      // 256 stay reserved; a quarter of the other 64 is the share of one container: 16.
      descriptorLimit: 256 + 64,
      instance: 'i',
      now: () => 1,
    });
  });
  afterEach(() => {
    for (const lease of [...agent.table.leases.values()]) agent.table.end(lease, 'release');
    for (const wake of wakes) wake.close();
    journal.close();
    rmSync(directory, { recursive: true });
  });
  /** As it arrives over the socket: a descriptor of the agent's own. */
  const arrived = (): Descriptor => {
    const wake = createWake();
    wakes.push(wake);
    return Descriptor.duplicate(wake.signalDescriptor.fd);
  };
  const hold = (container = 'sandbox'): Lease => {
    const begin = { container, pool: 'temporary', bytes: 4096, ttlMs: 1000, mode: 'mapped' } as const;
    const lease = unwrap(agent.table.begin(begin));
    const { segment } = lease;
    const token = agent.tickets.issue({ container, segment, access: 'read-write', expiresAt: 100 });
    const handed = unwrap(agent.exchange.redeem(session, container, token));
    handed.closeAfterSend.close();
    unwrap(agent.exchange.mapped(session, segment));
    return lease;
  };
  const read = ({ segment }: Lease, container: string) => {
    const token = agent.tickets.issue({ container, segment, access: 'read-only', expiresAt: 100 });
    return unwrap(agent.exchange.redeem(2, container, token));
  };

  it('hands it to readers behind the payload, and closes it with the lease', () => {
    const lease = hold();
    const wake = arrived();
    unwrap(agent.table.grant(lease, 'archive'));
    const before = read(lease, 'archive');
    expect(before.descriptors).toHaveLength(1);
    before.closeAfterSend.close();
    expect(code(agent.exchange.attachWake(session, lease.segment, wake))).toBe('ok');
    const handed = read(lease, 'archive');
    expect(handed.descriptors[1]).toBe(wake);
    handed.closeAfterSend.close();
    expect([wake.closed, agent.table.descriptorsOf('sandbox')]).toEqual([false, 2]);
    agent.table.end(lease, 'release');
    expect([wake.closed, agent.table.descriptorsOf('sandbox')]).toEqual([true, 0]);
  });

  it('takes one a lease, from who holds it, and nothing that does more than wake', () => {
    const lease = hold();
    const [first, second] = [arrived(), arrived()];
    using file = Descriptor.adopt(openSync('/dev/null', 'r+'));
    using memory = createSegment({ name: 'x', bytes: 4096 });
    const attach = (by: number, segment: string, descriptor: Descriptor | undefined) =>
      code(agent.exchange.attachWake(by, segment, descriptor));
    expect(attach(session, lease.segment, undefined)).toBe('protocol_violation');
    expect(attach(session, lease.segment, file)).toBe('invalid_request');
    expect(attach(session, lease.segment, memory)).toBe('invalid_request');
    expect(attach(2, lease.segment, first)).toBe('unknown_segment');
    expect(attach(session, 's-00000000', first)).toBe('unknown_segment');
    expect(lease.wake).toBeNull();
    expect(attach(session, lease.segment, first)).toBe('ok');
    expect(attach(session, lease.segment, second)).toBe('conflict');
    expect([lease.wake === first, agent.table.descriptorsOf('sandbox')]).toEqual([true, 2]);
    second.close();
  });

  it('comes back behind payload and ledger after a restart; what only looks like it is left out', () => {
    const { container, segment } = unwrap(
      agent.table.begin({
        container: 'sandbox',
        pool: 'temporary',
        bytes: 4096,
        ttlMs: 1000,
        mode: 'mapped',
      }),
    );
    const token = agent.tickets.issue({ container, segment, access: 'read-write', expiresAt: 100 });
    const handed = unwrap(agent.exchange.redeem(session, container, token));
    const [payload, ledger] = handed.descriptors.map(({ fd }) => Descriptor.duplicate(fd));
    if (payload === undefined || ledger === undefined) throw new Error('the owner has both');
    handed.closeAfterSend.close();
    const { lease, secret } = handed;
    const claim = { container, segment, access: 'read-write', secret } as const;
    const restart = () => {
      agent.table.dropDescriptors(lease);
      lease.state = 'returning';
    };
    restart();
    using file = Descriptor.adopt(openSync('/dev/null', 'r+'));
    const first = Descriptor.duplicate(payload.fd);
    unwrap(agent.exchange.takeBack(3, claim, [first, ledger, file]));
    expect([lease.wake, lease.state]).toEqual([null, 'mapped']);
    restart();
    const wake = arrived();
    unwrap(agent.exchange.takeBack(4, claim, [payload, ledger, wake]));
    expect(lease.wake).toBe(wake);
    ledger.close();
  });

  it("counts against the container's share of descriptors", () => {
    const leases = Array.from({ length: 15 }, () => hold());
    const attach = (index: number) => {
      const wake = arrived();
      const outcome = code(agent.exchange.attachWake(session, leases[index]?.segment ?? '', wake));
      if (outcome !== 'ok') wake.close();
      return outcome;
    };
    expect([attach(0), attach(1)]).toEqual(['ok', 'descriptors_exhausted']);
    const first = leases[0] as Lease;
    agent.table.end(first, 'release');
    expect(attach(1)).toBe('ok');
  });
});
