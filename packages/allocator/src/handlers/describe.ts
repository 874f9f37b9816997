/** `segment.describe`: what the asking container has, may have, and may read. */
import { type Endpoint, endpoint } from '@nautilus/bus';
import { exchanges, ok, type SegmentDescription } from '@nautilus/contracts';
import type { Agent } from '../agent.ts';
import type { Lease } from '../memory/lease.ts';
import { liveBytesOf } from '../memory/ledger-figures.ts';

/** More would not fit one NATS message with room to spare. */
const mostSegments = 1000;

export function describeEndpoint(agent: Agent): Endpoint {
  return endpoint({
    contract: exchanges.describeSegments,
    host: agent.host,
    party: '*',
    handle: (body, { party }) => {
      const account = agent.accounts.container(party);
      if (!account.ok) return account;
      const segments: SegmentDescription[] = [];
      let truncated = false;
      const candidates =
        body.segment === undefined ? agent.table.leases.values() : [agent.table.leases.get(body.segment)];
      for (const lease of candidates) {
        if (lease === undefined || (lease.container !== party && !lease.grants.has(party))) continue;
        if (segments.length === mostSegments) {
          truncated = true;
          break;
        }
        segments.push(describeLease(agent, lease, party));
      }
      const { budgetBytes, leasedBytes } = account.value;
      return ok({ container: party, budgetBytes, leasedBytes, segments, truncated });
    },
  });
}

/** As `party` may see it: grants are told to the owner only. */
export function describeLease(agent: Agent, lease: Lease, party: string): SegmentDescription {
  const owner = lease.container === party;
  const held = lease.holders.size > 0 || lease.state === 'lingering';
  return {
    segment: lease.segment,
    pool: lease.pool,
    region: agent.accounts.pools.get(lease.pool)?.pool.region ?? '',
    owner: lease.container,
    access: owner ? 'read-write' : 'read-only',
    mode: lease.mode,
    state: lease.state,
    bytes: lease.bytes,
    liveBytes: lease.mode === 'kept' ? agent.kept.liveBytesOf(lease) : liveBytesOf(lease),
    leasedAt: lease.leasedAt,
    expiresAt: held ? null : lease.expiresAt,
    grants: owner ? [...lease.grants] : [],
  };
}
