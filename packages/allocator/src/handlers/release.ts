/** `segment.release`: the orderly end of a lease. A second release of the same segment is an error, not a shrug. */
import { type Endpoint, endpoint } from '@nautilus/bus';
import { exchanges, ok } from '@nautilus/contracts';
import type { Agent } from '../agent.ts';

export function releaseEndpoint(agent: Agent): Endpoint {
  return endpoint({
    contract: exchanges.releaseSegment,
    host: agent.host,
    party: '*',
    handle: (body, { party }) => {
      const lease = agent.table.owned(body.segment, party);
      if (!lease.ok) return lease;
      return ok({ segment: body.segment, ...agent.table.end(lease.value, 'release') });
    },
  });
}
