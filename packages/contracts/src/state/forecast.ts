/** What the monitor expects of a container: quantiles of its peak, not a point, with how often they held. */
import { z } from 'zod';
import { instantMs, measuredBytes } from '../values.ts';

export const forecastHorizon = z.object({
  horizonMs: z.number().int().positive(),
  p50: measuredBytes,
  p90: measuredBytes,
  p95: measuredBytes,
  p99: measuredBytes,
  /** The model that is live now. */
  model: z.string(),
  /** Share of past peaks that stayed below their p95; null before enough were scored. */
  coverage: z.number().min(0).max(1).nullable(),
});
export type ForecastHorizon = z.infer<typeof forecastHorizon>;

/** Value of `forecast/<host>.<container>`. */
export const containerForecast = z.object({
  at: instantMs,
  container: z.string(),
  horizons: z.array(forecastHorizon),
  /** Null: not within the horizons, or nothing limits it. */
  timeToLimitMs: z.number().nonnegative().nullable(),
  /** cold: too little was seen; use the maximum. */
  state: z.enum(['cold', 'live']),
  reason: z.string(),
});
export type ContainerForecast = z.infer<typeof containerForecast>;
