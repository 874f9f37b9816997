/** The daily clean-up: what is over is collected, and the agent's journal is made short again. */
import { cleanUpMemory } from '@nautilus/contracts';
import type { Job } from './job.ts';

export const cleanUp: Job = {
  summary: 'Collects expired and orphaned leases and compacts the journal of the agent.',
  scheduleKey: 'clean_up',
  schedule: (config) => config.clean_up,
  run: async ({ bus, host, dryRun, remainingMs, signal }) => {
    // Without a fencing epoch: doing it twice does no harm, and the epochs that an agent compares are the orchestrator's.
    const report = await bus.request(
      cleanUpMemory,
      { host, party: 'agent' },
      { dryRun },
      { timeoutMs: remainingMs(), signal },
    );
    return { reclaimedBytes: report.reclaimedBytes, report };
  },
};
