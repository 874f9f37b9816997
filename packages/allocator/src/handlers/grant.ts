/** `segment.grant`: another container may read. The first grant seals the segment against new writable mappings. */
import { type Endpoint, endpoint } from '@nautilus/bus';
import { exchanges, fail, ok } from '@nautilus/contracts';
import { sealFutureWrites } from '@nautilus/native';
import type { Agent } from '../agent.ts';

export function grantEndpoint(agent: Agent): Endpoint {
  return endpoint({
    contract: exchanges.grantSegment,
    host: agent.host,
    party: '*',
    handle: (body, { party }) => {
      const owned = agent.table.owned(body.segment, party);
      if (!owned.ok) return owned;
      const lease = owned.value;
      const reader = agent.accounts.container(body.to);
      if (!reader.ok) return reader;
      if (body.to === party)
        return fail('invalid_request', `to: ${party} owns ${body.segment}; a grant is for another container`);
      // A file has no seals: its owner could cut it off under a reader, and a reader open it for writing.
      if (lease.mode === 'kept') {
        return fail(
          'unsupported',
          `${body.segment} is kept by the agent in a file and cannot be shared; lease a segment for that`,
        );
      }
      // Sealing before the owner has mapped would lock the owner itself out.
      if (lease.descriptor === null || !lease.ownerMapped) {
        return fail(
          'not_mapped',
          `${party} has not mapped ${body.segment} yet; exchange the ticket and map it first`,
        );
      }
      let reason: string | null = null;
      if (!lease.sealed) {
        const written = agent.table.journal.append({ op: 'sealed', segment: lease.segment });
        if (!written.ok) return written;
        const outcome = sealFutureWrites(lease.descriptor);
        lease.sealed = outcome.sealed;
        reason = outcome.reason;
      }
      const granted = agent.table.grant(lease, body.to);
      if (!granted.ok) return granted;
      return ok({ segment: body.segment, to: body.to, writesSealed: lease.sealed, reason });
    },
  });
}
