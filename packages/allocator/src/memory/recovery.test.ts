import { configSchema, scaleMemory } from '@nautilus/contracts';
import { describe, expect, it } from 'vitest';
import { Accounts } from '../accounts/accounts.ts';
import type { JournalEntry } from './journal.ts';
import { recover } from './recovery.ts';

const accounts = new Accounts(scaleMemory(configSchema.parse({}), 2 ** 40));
const lease = (
  segment: string,
  more: Partial<Extract<JournalEntry, { op: 'lease' }>> = {},
): JournalEntry => ({
  op: 'lease',
  segment,
  container: 'risk-engine',
  pool: 'risk',
  bytes: 4096,
  mode: 'mapped',
  leasedAt: 1,
  ttlMs: 1000,
  ...more,
});

describe('recover()', () => {
  it('waits for the holder of a mapped segment and gives an unmapped lease its time again', () => {
    const { leases } = recover(
      [lease('s-1'), lease('s-2'), { op: 'mapped', segment: 's-1', device: 7, inode: 8, ledger: 9 }],
      accounts,
      5000,
    );
    expect(leases.map(({ segment, state, expiresAt }) => ({ segment, state, expiresAt }))).toEqual([
      { segment: 's-1', state: 'returning', expiresAt: 6000 },
      { segment: 's-2', state: 'leased', expiresAt: 6000 },
    ]);
    expect(leases[0]?.identity).toEqual({ device: 7, inode: 8, ledger: 9 });
  });

  it('forgets what had ended, with its blocks', () => {
    const { leases, blocks } = recover(
      [
        lease('s-1', { mode: 'kept' }),
        { op: 'block', block: 'b-1', segment: 's-1', offset: 0, length: 10 },
        { op: 'end', segment: 's-1' },
      ],
      accounts,
      0,
    );
    expect(leases).toEqual([]);
    expect(blocks.size).toBe(0);
  });

  it('keeps grants, seals, budgets and the largest epoch; never reuses a block number', () => {
    const found = recover(
      [
        lease('s-1'),
        { op: 'sealed', segment: 's-1' },
        { op: 'grant', segment: 's-1', to: 'ml-engine' },
        { op: 'grant', segment: 's-1', to: 'archive' },
        { op: 'revoke', segment: 's-1', from: 'archive' },
        { op: 'block', block: 'b-z', segment: 's-1', offset: 0, length: 10 },
        { op: 'unblock', block: 'b-z' },
        { op: 'budget', container: 'ml-engine', bytes: 77, epoch: 9 },
        { op: 'budget', container: 'archive', bytes: 7, epoch: 4 },
      ],
      accounts,
      0,
    );
    expect(found.leases[0]?.sealed).toBe(true);
    expect([...(found.leases[0]?.grants ?? [])]).toEqual(['ml-engine']);
    expect(found.nextBlock).toBe(36);
    expect(found.budgets.get('ml-engine')).toBe(77);
    expect(found.epoch).toBe(9);
  });

  it('remembers an ended lease that somebody may still map', () => {
    const entries: JournalEntry[] = [
      lease('s-1'),
      { op: 'mapped', segment: 's-1', device: 7, inode: 8, ledger: 9 },
      { op: 'grant', segment: 's-1', to: 'archive' },
      { op: 'linger', segment: 's-1' },
    ];
    expect(recover(entries, accounts, 0).leases).toMatchObject([{ segment: 's-1', state: 'lingering' }]);
    expect(recover([...entries, { op: 'end', segment: 's-1' }], accounts, 0).leases).toEqual([]);
  });

  it('says what the configuration of today cannot hold', () => {
    const { leases, dropped } = recover(
      [lease('s-1', { container: 'gone' }), lease('s-2', { pool: 'gone' })],
      accounts,
      0,
    );
    expect(leases).toEqual([]);
    expect(dropped.map(({ segment }) => segment)).toEqual(['s-1', 's-2']);
  });
});
