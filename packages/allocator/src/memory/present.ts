/** The present as a journal: what a restarted agent must know of leases and budgets, and nothing else. */
import type { Accounts } from '../accounts/accounts.ts';
import type { JournalEntry } from './journal.ts';
import type { Lease } from './lease.ts';

export function leaseEntry(lease: Lease): JournalEntry {
  const { segment, container, pool, bytes, mode, leasedAt, ttlMs } = lease;
  return { op: 'lease', segment, container, pool, bytes, mode, leasedAt, ttlMs };
}

export function presentEntries(books: {
  readonly leases: ReadonlyMap<string, Lease>;
  readonly accounts: Accounts;
  readonly budgetEpoch: number;
}): JournalEntry[] {
  const entries: JournalEntry[] = [];
  for (const lease of books.leases.values()) {
    const { segment } = lease;
    entries.push(leaseEntry(lease));
    if (lease.identity !== null) entries.push({ op: 'mapped', segment, ...lease.identity });
    if (lease.sealed) entries.push({ op: 'sealed', segment });
    if (lease.state === 'lingering') entries.push({ op: 'linger', segment });
    for (const to of lease.grants) entries.push({ op: 'grant', segment, to });
  }
  for (const account of books.accounts.containers.values()) {
    entries.push({
      op: 'budget',
      container: account.name,
      bytes: account.budgetBytes,
      epoch: books.budgetEpoch,
    });
  }
  return entries;
}
