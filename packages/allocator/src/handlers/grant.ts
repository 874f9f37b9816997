/** `segment.grant`: another container may read. The first grant seals the segment against new writable mappings. */
import { type Endpoint, endpoint } from '@nautilus/bus';
import { exchanges, fail, ok, type Result } from '@nautilus/contracts';
import { sealFutureWrites } from '@nautilus/native';
import type { Agent } from '../agent.ts';
import type { Lease } from '../memory/lease.ts';

export function grantEndpoint(agent: Agent): Endpoint {
  return endpoint({
    contract: exchanges.grantSegment,
    host: agent.host,
    party: '*',
    handle: (body, { party }) => {
      const owned = agent.table.owned(body.segment, party);
      if (!owned.ok) return owned;
      const granted = grant(agent, owned.value, body.to);
      if (!granted.ok) return granted;
      const { reason } = granted.value;
      return ok({ segment: body.segment, to: body.to, writesSealed: owned.value.sealed, reason });
    },
  });
}

/** The reason is why writes could not be sealed, where they could not. */
export function grant(agent: Agent, lease: Lease, to: string): Result<{ readonly reason: string | null }> {
  const { segment, container } = lease;
  const reader = agent.accounts.container(to);
  if (!reader.ok) return reader;
  if (to === container)
    return fail('invalid_request', `to: ${container} owns ${segment}; a grant is for another container`);
  // A file has no seals: its owner could cut it off under a reader, and a reader open it for writing.
  if (lease.mode === 'kept') {
    return fail(
      'unsupported',
      `${segment} is kept by the agent in a file and cannot be shared; lease a segment for that`,
    );
  }
  // Sealing before the owner has mapped would lock the owner itself out.
  if (lease.descriptor === null || !lease.ownerMapped) {
    return fail(
      'not_mapped',
      `${container} has not mapped ${segment} yet; exchange the ticket and map it first`,
    );
  }
  let reason: string | null = null;
  if (!lease.sealed) {
    const written = agent.table.journal.append({ op: 'sealed', segment });
    if (!written.ok) return written;
    const outcome = sealFutureWrites(lease.descriptor);
    lease.sealed = outcome.sealed;
    reason = outcome.reason;
  }
  const granted = agent.table.grant(lease, to);
  return granted.ok ? ok({ reason }) : granted;
}
