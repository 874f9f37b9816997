/** `memory.clean-up`: what the daily job asks of the agent. Collects what is over and shortens the journal. */
import { type Endpoint, endpoint } from '@nautilus/bus';
import { exchanges, ok } from '@nautilus/contracts';
import type { Agent } from '../agent.ts';

export function cleanUpEndpoint(agent: Agent): Endpoint {
  const figures = () => ({
    leases: agent.table.leases.size,
    leasedBytes: agent.accounts.leasedBytes,
    journalBytes: agent.table.journal.bytes,
  });
  return endpoint({
    contract: exchanges.cleanUpMemory,
    host: agent.host,
    party: 'agent',
    concurrency: 1,
    handle: (body) => {
      const dryRun = body.dryRun ?? false;
      const before = figures();
      const expired = agent.table.expired();
      if (dryRun) {
        const bytes = expired.reduce((sum, lease) => sum + lease.bytes, 0);
        return ok({ dryRun, before, after: before, expiredLeases: expired.length, reclaimedBytes: bytes });
      }
      let reclaimedBytes = 0;
      for (const lease of expired) reclaimedBytes += agent.table.end(lease, 'clean-up').releasedBytes;
      const compacted = agent.table.compact();
      if (!compacted.ok) return compacted;
      return ok({ dryRun, before, after: figures(), expiredLeases: expired.length, reclaimedBytes });
    },
  });
}
