/** An alert: one step on a ladder, up or down, of one signal of one scope. */
import { z } from 'zod';
import { instantMs, tier } from '../values.ts';

export const scopeKinds = ['host', 'region', 'pool', 'container'] as const;

export const alertBody = z.object({
  /** Stable per incident: raised, stepped and cleared under the same id. */
  alert: z.string(),
  host: z.string(),
  signal: z.string(),
  scope: z.object({ kind: z.enum(scopeKinds), name: z.string() }),
  state: z.enum(['raised', 'lowered', 'cleared']),
  /** The tier now; on `cleared` the tier that ended. */
  tier,
  previousTier: tier.nullable(),
  /** Ratio 0–1 of what is full. */
  value: z.number(),
  threshold: z.number(),
  at: instantMs,
  text: z.string(),
  runbook: z.string(),
});
export type AlertBody = z.infer<typeof alertBody>;
