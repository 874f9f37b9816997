import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configSchema, fail, scaleMemory, unwrap } from '@nautilus/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Agent, createAgent } from '../agent.ts';
import { Journal } from './journal.ts';
import type { Lease } from './lease.ts';

const nobody = { leased: () => {}, ended: () => {}, granted: () => {}, letGo: () => {} };

describe('Exchange#redeem()', () => {
  let directory: string;
  let journal: Journal;
  let agent: Agent;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'nautilus-exchange-'));
    journal = Journal.open(directory).journal;
    const config = configSchema.parse({ host: { state_dir: directory } });
    const parts = {
      config,
      shape: scaleMemory(config, 2 ** 40),
      journal,
      events: nobody,
      key: Buffer.alloc(32),
      pageBytes: 4096,
    };
    // 256 stay reserved; a quarter of the other 64 is the share of one container: 16.
    agent = createAgent({ ...parts, descriptorLimit: 256 + 64, instance: 'i', now: () => 1 });
  });
  afterEach(() => {
    for (const lease of [...agent.table.leases.values()]) agent.table.end(lease, 'release');
    journal.close();
    rmSync(directory, { recursive: true });
  });
  const lease = (container: string): Lease =>
    unwrap(agent.table.begin({ container, pool: 'temporary', bytes: 4096, ttlMs: 1000, mode: 'mapped' }));
  const redeem = ({ container, segment }: Lease) => {
    const token = agent.tickets.issue({ container, segment, access: 'read-write', expiresAt: 100 });
    const result = agent.exchange.redeem(1, container, token);
    if (result.ok) result.value.closeAfterSend.close();
    return result.ok ? 'ok' : result.fault.code;
  };

  it('stops at the share of descriptors of one container, leaves others theirs, and goes on when one is given back', () => {
    const mapped = Array.from({ length: 16 }, () => lease('sandbox'));
    expect(mapped.map(redeem)).toEqual(mapped.map(() => 'ok'));
    const next = lease('sandbox');
    expect(redeem(next)).toBe('descriptors_exhausted');
    expect(redeem(lease('risk-engine'))).toBe('ok');
    const first = mapped[0] as Lease;
    agent.exchange.closed(1, first.segment);
    agent.table.end(first, 'release');
    expect(redeem(next)).toBe('ok');
  });

  it('writes down what it hands out even when the first attempt found the filesystem full', () => {
    const one = lease('sandbox');
    const append = journal.append.bind(journal);
    journal.append = () => fail('storage_full', 'full for a moment');
    expect(redeem(one)).toBe('storage_full');
    expect(one.identity).toBeNull();
    expect(one.descriptor).toBeNull();
    journal.append = append;
    expect(redeem(one)).toBe('ok');
    const { entries, journal: again } = Journal.open(directory);
    again.close();
    expect(entries).toContainEqual({ op: 'mapped', segment: one.segment, ...one.identity });
  });
});
