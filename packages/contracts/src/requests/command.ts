/** Commands: to a container (give memory back) and to the agent (clean up). They carry a degree and are acknowledged. */
import { z } from 'zod';
import { exchange } from '../subject.ts';
import { degree, measuredBytes } from '../values.ts';

export const releaseMemory = exchange({
  class: 'cmd',
  party: '*',
  noun: 'memory',
  verb: 'release',
  summary: 'Asks a container to give memory back. The answer says what it released; it may be nothing.',
  request: z.object({
    degree,
    bytes: measuredBytes,
    reason: z.string().max(500),
    /** Until when the asker waits, from now on; what comes later helps nobody. */
    deadlineMs: z.number().int().positive().optional(),
  }),
  response: z.object({ releasedBytes: measuredBytes }),
});

export const cleanUpMemory = exchange({
  class: 'cmd',
  party: 'agent',
  noun: 'memory',
  verb: 'clean-up',
  summary: 'Collects expired and orphaned leases and compacts the journal of the agent, now.',
  request: z.object({ dryRun: z.boolean().optional() }),
  response: z.object({
    dryRun: z.boolean(),
    before: z.object({ leases: z.number(), leasedBytes: measuredBytes, journalBytes: measuredBytes }),
    after: z.object({ leases: z.number(), leasedBytes: measuredBytes, journalBytes: measuredBytes }),
    expiredLeases: z.number().int(),
    reclaimedBytes: measuredBytes,
  }),
});

/** What the agent's own api says of the host; read by the terminal status and by `--check`. */
export const describeHost = exchange({
  class: 'cmd',
  party: 'agent',
  noun: 'host',
  verb: 'describe',
  summary: 'The hardware found at start, what is missing and why, and where the socket is.',
  request: z.object({}),
  response: z.object({
    host: z.string(),
    instance: z.string(),
    startedAt: z.number(),
    socketPath: z.string(),
    scale: z.number(),
    managedBytes: measuredBytes,
    reservedBytes: measuredBytes,
    hardware: z.record(z.string(), z.unknown()),
  }),
});
