/** `segment.lease`: admission, a line in the journal, a ticket. No memory is touched and no descriptor is made. */
import { type Endpoint, endpoint } from '@nautilus/bus';
import { exchanges, ok } from '@nautilus/contracts';
import type { Agent } from '../agent.ts';
import { issueTicket } from './ticket.ts';

export function leaseEndpoint(agent: Agent): Endpoint {
  return endpoint({
    contract: exchanges.leaseSegment,
    host: agent.host,
    party: '*',
    handle: (body, { party }) => {
      const begin = body.usual === true ? agent.table.beginUsual : agent.table.begin;
      const begun = begin.call(agent.table, {
        container: party,
        pool: body.pool,
        bytes: body.bytes,
        ttlMs: body.ttlMs ?? agent.config.allocator.lease_ttl,
        mode: 'mapped',
      });
      if (!begun.ok) return begun;
      const lease = begun.value;
      const pool = agent.accounts.pools.get(lease.pool)?.pool;
      const region = agent.accounts.regions.get(pool?.region ?? '')?.region;
      return ok({
        segment: lease.segment,
        pool: lease.pool,
        region: region?.name ?? '',
        strategy: pool?.strategy ?? '',
        bytes: lease.bytes,
        alignmentBytes: region?.alignmentBytes ?? 0,
        expiresAt: lease.expiresAt,
        device: agent.deviceOf(region?.name ?? ''),
        ...issueTicket(agent, lease.segment, party, 'read-write'),
      });
    },
  });
}
