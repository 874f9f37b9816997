/** The memory part of the configuration: regions (SPEC U2), pools (SPEC P1) and containers (SPEC O1), all scaled down together on a smaller machine. */
import { z } from 'zod';
import { isToken } from '../names.ts';
import { policy, priority, resizeContract, scaleRange } from '../values.ts';
import { bytes } from './quantity.ts';

/** Strategies that this build has; each is what its name says (SPEC P2). Kept equal to the native registry by a test. */
export const strategyNames = ['slab', 'buddy', 'first_fit', 'best_fit', 'stack'] as const;
export type StrategyName = (typeof strategyNames)[number];

export const deviceNames = ['host', 'gpu', 'neural-engine'] as const;

const name = z
  .string()
  .refine(isToken, { error: 'must be lower-case letters, digits and single "-" (at most 63)' });

const alignment = z
  .number()
  .int()
  .refine((value) => value >= 1 && value <= 65_536 && (value & (value - 1)) === 0, {
    error: (issue) => `must be a power of two from 1 to 65536, found ${String(issue.input)}`,
  });

export const region = z.strictObject({
  capacity: bytes.meta({ description: 'Most bytes that leases of this region may hold.' }),
  alignment: alignment.default(64).meta({ description: 'Smallest alignment of a block, in bytes.' }),
  device: z
    .enum(deviceNames)
    .default('host')
    .meta({ description: 'The device that works on this memory, when there is one.' }),
});

export const pool = z.strictObject({
  region: name.meta({ description: 'The region whose budget the pool uses.' }),
  strategy: z
    .enum(strategyNames)
    .default('first_fit')
    .meta({ description: 'How blocks are placed inside a segment.' }),
  min: bytes.prefault('0B').meta({ description: 'Bytes of the region that other pools leave to this one.' }),
  max: bytes.meta({ description: 'Most bytes that leases of this pool may hold.' }),
  segment: bytes
    .prefault('16MiB')
    .meta({ description: 'Size of a segment that the client leases when it needs room.' }),
});

export const container = z.strictObject({
  min: bytes.prefault('0B').meta({ description: 'The budget that is never taken away.' }),
  max: bytes.meta({ description: 'The most the budget may grow to.' }),
  priority: priority.default('normal').meta({ description: 'Who is served first when memory is short.' }),
  policy: policy.default('burstable').meta({
    description:
      'guaranteed is never shrunk below its high water; burstable borrows what is idle; adaptive follows use.',
  }),
  resize: resizeContract.default('any-time').meta({
    description:
      'When a changed limit helps: any-time, grow-only (never lowered while it runs), or at-start (a heap that is fixed then).',
  }),
  scale: scaleRange.nullable().default(null).meta({
    description: 'Replicas of a stateless container, `{ min, max }`; null: never replicated.',
  }),
  container: z.string().min(1).nullable().default(null).meta({
    description:
      "The runtime's name of it (Docker name or child cgroup) where that is another; null: the key.",
  }),
});

export type RegionConfig = z.output<typeof region>;
export type PoolConfig = z.output<typeof pool>;
export type ContainerConfig = z.output<typeof container>;

export const regions = z.record(name, region);
export const pools = z.record(name, pool);
export const containers = z.record(name, container);
