/**
 * What a restarted agent makes of its journal. Mapped segments wait for their holders to hand them back; kept ones are
 * opened again; what nobody claims within the grace is returned. Nothing is guessed.
 */
import type { BlockPlace } from '@nautilus/contracts';
import type { Accounts } from '../accounts/accounts.ts';
import type { JournalEntry } from './journal.ts';
import { type Lease, newLease } from './lease.ts';

export interface Recovered {
  readonly leases: readonly Lease[];
  readonly blocks: ReadonlyMap<string, BlockPlace>;
  readonly nextBlock: number;
  readonly budgets: ReadonlyMap<string, number>;
  readonly epoch: number;
  /** Leases that the configuration of today cannot hold: their pool or container is gone. */
  readonly dropped: readonly { segment: string; reason: string }[];
}

/** Pure: journal and time in, books out. */
export function recover(
  entries: readonly JournalEntry[],
  accounts: Pick<Accounts, 'containers' | 'pools'>,
  now: number,
): Recovered {
  const leases = new Map<string, Lease>();
  const blocks = new Map<string, BlockPlace>();
  const budgets = new Map<string, number>();
  const dropped: { segment: string; reason: string }[] = [];
  let nextBlock = 1;
  let epoch = 0;
  for (const entry of entries) {
    switch (entry.op) {
      case 'lease':
        if (!accounts.containers.has(entry.container)) {
          dropped.push({
            segment: entry.segment,
            reason: `container ${entry.container} is not configured any more`,
          });
        } else if (!accounts.pools.has(entry.pool)) {
          dropped.push({ segment: entry.segment, reason: `pool ${entry.pool} is not configured any more` });
        } else {
          const lease = newLease(entry);
          // Nobody could give a sign of life while there was no agent.
          lease.expiresAt = now + lease.ttlMs;
          leases.set(entry.segment, lease);
        }
        break;
      case 'mapped': {
        const lease = leases.get(entry.segment);
        if (lease === undefined) break;
        lease.identity = { device: entry.device, inode: entry.inode, ledger: entry.ledger };
        lease.state = 'returning';
        break;
      }
      case 'sealed': {
        const lease = leases.get(entry.segment);
        if (lease !== undefined) lease.sealed = true;
        break;
      }
      case 'linger': {
        const lease = leases.get(entry.segment);
        if (lease === undefined) break;
        lease.state = 'lingering';
        lease.endedBecause = 'release';
        break;
      }
      case 'end':
        leases.delete(entry.segment);
        for (const [block, place] of blocks) if (place.segment === entry.segment) blocks.delete(block);
        break;
      case 'grant':
        leases.get(entry.segment)?.grants.add(entry.to);
        break;
      case 'revoke':
        leases.get(entry.segment)?.grants.delete(entry.from);
        break;
      case 'block': {
        const { op: _, ...place } = entry;
        blocks.set(entry.block, place);
        nextBlock = Math.max(nextBlock, Number.parseInt(entry.block.slice(2), 36) + 1);
        break;
      }
      case 'unblock':
        blocks.delete(entry.block);
        break;
      case 'blockCounter':
        nextBlock = Math.max(nextBlock, entry.next);
        break;
      case 'budget':
        budgets.set(entry.container, entry.bytes);
        epoch = Math.max(epoch, entry.epoch);
        break;
    }
  }
  // A kept segment has no holder to wait for.
  for (const lease of leases.values()) {
    if (lease.mode === 'kept' && lease.state !== 'lingering') lease.state = 'leased';
  }
  return { leases: [...leases.values()], blocks, nextBlock, budgets, epoch, dropped };
}
