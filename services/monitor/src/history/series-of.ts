/** The figures of a sample as series with names: what is kept of every second. What was not measured is not there. */
import type { AgentSample } from '@nautilus/contracts';

/** Names are `<scope>/<figure>` or `<scope>/<name>/<figure>`; figures are named as in the sample. */
export function seriesOf(sample: AgentSample): Map<string, number> {
  const series = new Map<string, number>();
  const add = (scope: string, figures: object) => {
    for (const [figure, value] of Object.entries(figures))
      if (typeof value === 'number' && Number.isFinite(value)) series.set(`${scope}/${figure}`, value);
  };
  add('host', sample.memory);
  add('capacity', sample.capacity);
  add('segments', sample.segments);
  add('counters', sample.counters);
  add('counters/zeroCopyOperations', sample.counters.zeroCopyOperations);
  for (const region of sample.regions) add(`region/${region.name}`, region);
  for (const pool of sample.pools) add(`pool/${pool.name}`, pool);
  for (const container of sample.containers) add(`container/${container.name}`, container);
  return series;
}
