/** Questions to the monitor's memory of the last 24 hours: the console, the command line and reports ask them. */
import { z } from 'zod';
import { exchange } from '../subject.ts';
import { instantMs, tokenName } from '../values.ts';

/** Of one step: what was measured in it. */
export const historyPoint = z.object({
  minimum: z.number(),
  maximum: z.number(),
  mean: z.number(),
  last: z.number(),
});
export type HistoryPoint = z.infer<typeof historyPoint>;

/** Steps times series of one answer: more would not fit a message with room to spare. */
export const mostHistoryPoints = 5_000;

export const queryHistory = exchange({
  class: 'api',
  party: 'monitor',
  noun: 'history',
  verb: 'query',
  summary:
    'What series of a host were from one instant to another, in steps; a step without a measurement is null.',
  request: z
    .object({
      host: tokenName,
      /** Names such as `container/risk-engine/leasedBytes`, or beginnings of names such as `container/*`. */
      series: z.array(z.string().min(1).max(200)).min(1).max(50),
      from: instantMs,
      to: instantMs,
      stepMs: z.number().int().min(1_000).max(86_400_000),
    })
    .refine(({ from, to }) => from <= to, { error: 'from must not be after to' }),
  response: z.object({
    host: z.string(),
    from: instantMs,
    stepMs: z.number(),
    series: z.array(z.object({ name: z.string(), points: z.array(historyPoint.nullable()) })),
  }),
});

export const listHistory = exchange({
  class: 'api',
  party: 'monitor',
  noun: 'history',
  verb: 'list',
  summary: 'The names of the series of a host that the last samples had, and what the history takes on disk.',
  request: z.object({ host: tokenName }),
  response: z.object({
    host: z.string(),
    series: z.array(z.string()),
    storedBytes: z.number().int().nonnegative(),
    rowsLost: z.number().int().nonnegative(),
  }),
});
