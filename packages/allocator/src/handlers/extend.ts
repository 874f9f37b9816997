/** `segment.extend`: a sign of life for a lease that no open socket speaks for. */
import { type Endpoint, endpoint } from '@nautilus/bus';
import { exchanges, ok } from '@nautilus/contracts';
import type { Agent } from '../agent.ts';

export function extendEndpoint(agent: Agent): Endpoint {
  return endpoint({
    contract: exchanges.extendLease,
    host: agent.host,
    party: '*',
    handle: (body, { party }) => {
      const lease = agent.table.owned(body.segment, party);
      if (!lease.ok) return lease;
      agent.table.extend(lease.value, body.ttlMs ?? lease.value.ttlMs);
      return ok({ segment: body.segment, expiresAt: lease.value.expiresAt });
    },
  });
}
