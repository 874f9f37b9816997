/** A small configuration that has one of everything, and the two ways a test looks at it. */
import { z } from 'zod';
import { type LoadConfigOptions, loadConfig } from '../config/load-config.ts';

const size = z
  .union([z.string(), z.number()], 'must be text')
  .refine((value) => /^\d+[KMG]iB$/.test(String(value)), {
    error: 'must be a size such as 64MiB',
  });
const schema = z
  .strictObject({
    host: z.string().default('h1'),
    nats: z
      .strictObject({
        servers: z.array(z.string()).min(1).default(['nats://localhost:4222']),
        reconnect_wait: z.number().positive().default(2),
        password: z.string().min(12).optional(),
        seed: z.string({ error: (issue) => `must be a seed, found "${String(issue.input)}"` }).optional(),
        tls: z.strictObject({ enabled: z.boolean().default(false) }).prefault({}),
      })
      .prefault({}),
    pools: z
      .record(
        z.string().regex(/^[a-z-]+$/, 'must be lower case'),
        z.strictObject({
          segment: size,
          strategy: z.enum(['buddy', 'tlsf', 'slab']).default('tlsf'),
          blocks: z.int().max(8).optional(),
        }),
      )
      .default({}),
    job: z
      .discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('trim') }),
        z.strictObject({ kind: z.literal('scan'), every: z.string() }),
      ])
      .optional(),
  })
  .superRefine(({ nats: { reconnect_wait } }, context) => {
    const message = `must be at most 60, found ${reconnect_wait}`;
    if (reconnect_wait > 60)
      context.addIssue({ code: 'custom', path: ['nats', 'reconnect_wait'], message, input: reconnect_wait });
  })
  .superRefine(({ nats, pools }, context) => {
    const pooled = Object.keys(pools).length;
    const message = `are ${nats.servers.length}, too few for ${pooled} pools; add a server`;
    if (pooled > nats.servers.length)
      context.addIssue({ code: 'custom', path: ['nats', 'servers'], message, input: nats.servers });
  })
  .refine((config) => config.host !== 'h9', { path: ['host'], error: 'names no host; there are h1, h2' });

/** The fault's message; what is no fault begins with `ok`, another code than `config_invalid` comes first. */
export function messageOf(options: LoadConfigOptions): string {
  const result = loadConfig(schema, options);
  if (result.ok) return `ok ${JSON.stringify(result.value)}`;
  return `${result.fault.code === 'config_invalid' ? '' : `${result.fault.code} `}${result.fault.message}`;
}

export function configOf(options: LoadConfigOptions) {
  const result = loadConfig(schema, options);
  if (!result.ok) throw new Error(result.fault.message);
  return result.value;
}
