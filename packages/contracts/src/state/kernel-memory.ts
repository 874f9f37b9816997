/** What the kernel charges to a container. A figure that is not known is null and has a reason under its name. */
import { z } from 'zod';
import { instantMs, measuredBytes } from '../values.ts';

const bytes = measuredBytes.nullable();
const counted = z.number().int().nonnegative().nullable();

export const kernelMemory = z.object({
  /** The runtime that knows it: docker, cgroup or process. */
  runtime: z.string(),
  /** Differs between two lives of one container. */
  incarnation: z.string(),
  usageBytes: bytes,
  /** What the kernel cannot take back without swap: usage without page cache and reclaimable slab. */
  workingSetBytes: bytes,
  anonBytes: bytes,
  fileBytes: bytes,
  swapBytes: bytes,
  /** Null: none (`hasNoLimit`), or not known (`missing.limitBytes`). */
  limitBytes: bytes,
  hasNoLimit: z.boolean(),
  oomKills: counted,
  highEvents: counted,
  maxEvents: counted,
  psiSomeTotalUs: counted,
  psiFullTotalUs: counted,
  startedAt: instantMs.nullable(),
  restarts: counted,
  /** Field → why it is null. */
  missing: z.record(z.string(), z.string()),
});
export type KernelMemory = z.infer<typeof kernelMemory>;

export const limitOutcomes = ['applied', 'refused', 'busy', 'gone', 'timed-out', 'unsupported'] as const;

export const observedKernel = kernelMemory.extend({
  /** Largest working set since the last report, second by second. */
  peakWorkingSetBytes: bytes,
  lastLimit: z
    .object({ outcome: z.enum(limitOutcomes), reason: z.string(), at: instantMs })
    .nullable()
    .default(null),
});
export type ObservedKernel = z.infer<typeof observedKernel>;
