/** Stands in for the agent of a host: is present, and answers clean-ups as a test says. */
import type { Bus, ServedService } from '@nautilus/bus';
import { endpoint } from '@nautilus/bus';
import { buckets, cleanUpMemory, ok } from '@nautilus/contracts';

export interface FakeAgent {
  readonly host: string;
  /** Whether each was a dry run, in the order of their arrival. */
  readonly calls: readonly { readonly dryRun: boolean }[];
  /** The most that were in work at once. */
  readonly most: number;
  stop(): Promise<void>;
}

/** Presence lasts as long as the bucket keeps it; the tests are shorter. */
export async function appear(bus: Bus, host: string): Promise<void> {
  const presence = await bus.store(buckets.presence);
  await presence.put(host, {
    host,
    instance: 'a-1',
    machine: 'm-1',
    startedAt: 1,
    socketPath: '/run/agent.sock',
    version: '0.1.0',
  });
}

export async function serveAgent(bus: Bus, host: string, workMs = 0): Promise<FakeAgent> {
  const calls: { dryRun: boolean }[] = [];
  let current = 0;
  let most = 0;
  const service: ServedService = await bus.serve({
    name: 'agent',
    version: '0.1.0',
    endpoints: [
      endpoint({
        contract: cleanUpMemory,
        host,
        party: 'agent',
        handle: async ({ dryRun = false }) => {
          calls.push({ dryRun });
          current += 1;
          most = Math.max(most, current);
          if (workMs > 0) await new Promise((resolve) => setTimeout(resolve, workMs));
          current -= 1;
          const figures = { leases: 3, leasedBytes: 4096, journalBytes: 100 };
          return ok({ dryRun, before: figures, after: figures, expiredLeases: 1, reclaimedBytes: 1024 });
        },
      }),
    ],
  });
  return {
    host,
    calls,
    get most() {
      return most;
    },
    stop: () => service.drain(),
  };
}
