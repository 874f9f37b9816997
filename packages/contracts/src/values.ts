/** Schemas that many contracts share: sizes, names, tiers, priorities. Messages say what was found and what is allowed. */
import { z } from 'zod';
import { isToken } from './names.ts';

/** The largest segment: what a 53-bit number can address with room for arithmetic. */
export const maximumSegmentBytes = 2 ** 47;

/** A size that was asked for; a wrong one has its own error code, because callers tell it from a malformed message. */
export const sizeBytes = z
  .number()
  .refine((value) => Number.isSafeInteger(value) && value > 0 && value <= maximumSegmentBytes, {
    error: (issue) =>
      `must be a whole number of bytes from 1 to ${maximumSegmentBytes}, found ${String(issue.input)}`,
    params: { code: 'invalid_size' },
  });

/** A size that was measured. */
export const measuredBytes = z.number().int().nonnegative();

export const tokenName = z.string().refine((value) => isToken(value) || value.includes('--'), {
  error: (issue) =>
    `must be lower-case letters, digits and single "-" (at most 63), found "${String(issue.input)}"`,
});

export const segmentId = z
  .string()
  .regex(/^s-[0-9a-z]{8,32}$/, 'must be a segment id such as s-4f0c9a1e22d34b7f');
export const blockId = z.string().regex(/^b-[0-9a-z]{1,32}$/, 'must be a block id such as b-1f');

export const priorities = ['critical', 'high', 'normal', 'low', 'maintenance'] as const;
export const priority = z.enum(priorities);
export type Priority = (typeof priorities)[number];

export const policies = ['guaranteed', 'burstable', 'adaptive'] as const;
export const policy = z.enum(policies);
export type Policy = (typeof policies)[number];

/** In rising order; `info` is the mildest. */
export const tiers = ['info', 'warning', 'critical', 'emergency'] as const;
export const tier = z.enum(tiers);
export type Tier = (typeof tiers)[number];

/** How hard a container is asked to give memory back, mildest first. */
export const degrees = ['trim', 'shrink', 'collect', 'everything'] as const;
export const degree = z.enum(degrees);
export type Degree = (typeof degrees)[number];

/** Unix milliseconds. */
export const instantMs = z.number().int().nonnegative();

/** When a changed limit reaches the memory that a runtime laid out at its start. */
export const resizeContracts = ['any-time', 'grow-only', 'at-start'] as const;
export const resizeContract = z.enum(resizeContracts);
export type ResizeContract = (typeof resizeContracts)[number];

/** Replicas that may run at once. */
export const scaleRange = z
  .object({
    min: z.number().int().min(1).meta({ description: 'Fewest replicas.' }),
    max: z.number().int().min(1).max(64).meta({ description: 'Most replicas.' }),
  })
  .refine(({ min, max }) => min <= max, { error: 'min must not be larger than max' });
export type ScaleRange = z.infer<typeof scaleRange>;

/** A container's specification, as the configuration gives it and the agent scaled it to this machine. */
export const containerSpec = z.object({
  minimumBytes: measuredBytes,
  maximumBytes: measuredBytes,
  priority,
  policy,
  resize: resizeContract.default('any-time'),
  /** Null: never more than the one. */
  scale: scaleRange.nullable().default(null),
});
export type ContainerSpec = z.infer<typeof containerSpec>;
