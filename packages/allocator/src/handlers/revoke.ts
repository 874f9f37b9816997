/** `segment.revoke`: no new mapping from now on, and whoever still maps it is told to let go. */
import { type Endpoint, endpoint } from '@nautilus/bus';
import { exchanges, ok } from '@nautilus/contracts';
import type { Agent } from '../agent.ts';

export function revokeEndpoint(agent: Agent): Endpoint {
  return endpoint({
    contract: exchanges.revokeGrant,
    host: agent.host,
    party: '*',
    handle: (body, { party }) => {
      const lease = agent.table.owned(body.segment, party);
      if (!lease.ok) return lease;
      const revoked = agent.table.revoke(lease.value, body.from);
      if (!revoked.ok) return revoked;
      return ok({ segment: body.segment, from: body.from, stillMapped: revoked.value });
    },
  });
}
