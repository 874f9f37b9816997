/** `segment.open`: a fresh ticket for what the asking container owns or was granted, and for nothing else. */
import { type Endpoint, endpoint } from '@nautilus/bus';
import { exchanges, fail, ok } from '@nautilus/contracts';
import type { Agent } from '../agent.ts';
import { issueTicket } from './ticket.ts';

export function openEndpoint(agent: Agent): Endpoint {
  return endpoint({
    contract: exchanges.openSegment,
    host: agent.host,
    party: '*',
    handle: (body, { party }) => {
      const lease = agent.table.leases.get(body.segment);
      const owner = lease?.container === party;
      if (lease === undefined || lease.state === 'lingering' || (!owner && !lease.grants.has(party))) {
        return fail(
          'unknown_segment',
          `container ${party} neither leases ${body.segment} nor was granted it`,
          { segment: body.segment },
        );
      }
      const access = owner ? 'read-write' : 'read-only';
      return ok({
        segment: lease.segment,
        pool: lease.pool,
        owner: lease.container,
        access,
        bytes: lease.bytes,
        ...issueTicket(agent, lease.segment, party, access),
      });
    },
  });
}
