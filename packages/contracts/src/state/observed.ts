/** What the agent states about its host in KV: the durable picture that the orchestrator plans from. */
import { z } from 'zod';
import { containerSpec, instantMs, measuredBytes } from '../values.ts';
import { observedKernel } from './kernel-memory.ts';

/** Value of `observed/<host>`. */
export const observedHost = z.object({
  host: z.string(),
  instance: z.string(),
  at: instantMs,
  grantableBytes: measuredBytes,
  leasedBytes: measuredBytes,
  lingeringBytes: measuredBytes,
  /** Largest fencing epoch this agent has obeyed. */
  epoch: z.number().int().nonnegative(),
});
export type ObservedHost = z.infer<typeof observedHost>;

/** Value of `observed/<host>.<container>`. */
export const observedContainer = z.object({
  container: z.string(),
  at: instantMs,
  spec: containerSpec,
  budgetBytes: measuredBytes,
  leasedBytes: measuredBytes,
  liveBytes: measuredBytes,
  /** Most bytes leased at once since the agent knows the container. */
  highWaterBytes: measuredBytes,
  /** Bytes of the refusals since the last report: demand that the budget did not meet. */
  refusedBytes: measuredBytes,
  connected: z.boolean(),
  /** Absent: no runtime knows the container now. */
  kernel: observedKernel.optional(),
});
export type ObservedContainer = z.infer<typeof observedContainer>;

/** Value of `presence/<host>`; the bucket forgets it when the agent stops renewing. */
export const presence = z.object({
  host: z.string(),
  instance: z.string(),
  /** Boot id and lock file of the machine: a restarted agent takes its own record over, another machine's it does not. */
  machine: z.string(),
  startedAt: instantMs,
  socketPath: z.string(),
  version: z.string(),
});
export type Presence = z.infer<typeof presence>;
