/** Commands to the agent about the life of a container. They carry the epoch of who commands: an old one is refused. */
import { z } from 'zod';
import { exchange } from '../subject.ts';
import { measuredBytes } from '../values.ts';

/** done: it was read back. over-budget: too many restarts already. unsupported: not with this runtime. */
export const lifecycleOutcomes = [
  'done',
  'refused',
  'over-budget',
  'gone',
  'timed-out',
  'unsupported',
] as const;

const epoch = z.number().int().nonnegative();
const response = z.object({ outcome: z.enum(lifecycleOutcomes), reason: z.string() });

export const restartContainer = exchange({
  class: 'cmd',
  party: 'agent',
  noun: 'container',
  verb: 'restart',
  summary:
    'Restarts a container with isolation: its leases end, and a cap may bind it from then on. No agent answers it yet.',
  request: z.object({
    container: z.string().min(1).max(63),
    reason: z.string().max(500),
    /** Most bytes it gets after the restart; null: as before. */
    capBytes: measuredBytes.nullable(),
    epoch,
  }),
  response,
});

export const scaleContainer = exchange({
  class: 'cmd',
  party: 'agent',
  noun: 'container',
  verb: 'scale',
  summary: 'Starts or stops replicas of a stateless container until so many run. No agent answers it yet.',
  request: z.object({
    service: z.string().min(1).max(63),
    replicas: z.number().int().min(1).max(64),
    epoch,
    reason: z.string().max(500),
  }),
  response,
});
