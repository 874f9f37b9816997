/** Rows of a table from the newest sample, filtered and sorted as the state says, with their past for a sparkline. Pure. */
import type { AgentSample } from '@nautilus/contracts';
import type { TopState, View } from './state.ts';

export interface Row {
  readonly name: string;
  readonly usedBytes: number;
  readonly limitBytes: number;
  readonly note: string;
}

export function rowsOf(sample: AgentSample, view: View): readonly Row[] {
  if (view === 'containers') {
    return sample.containers.map(({ name, leasedBytes, budgetBytes, spec, connected }) => ({
      name,
      usedBytes: leasedBytes,
      limitBytes: budgetBytes,
      note: `${spec.priority}${connected ? '' : ', away'}`,
    }));
  }
  if (view === 'pools') {
    return sample.pools.map(({ name, leasedBytes, limitBytes, strategy, segments }) => ({
      name,
      usedBytes: leasedBytes,
      limitBytes,
      note: `${strategy}, ${segments} segment${segments === 1 ? '' : 's'}`,
    }));
  }
  return sample.regions.map(({ name, leasedBytes, capacityBytes, device }) => ({
    name,
    usedBytes: leasedBytes,
    limitBytes: capacityBytes,
    note:
      device === undefined
        ? ''
        : `${device.device}${device.state === 'as-wanted' ? '' : `, ${device.wanted} ${device.state}`}`,
  }));
}

const shareOf = ({ usedBytes, limitBytes }: Row) => (limitBytes > 0 ? usedBytes / limitBytes : 0);

export function shownRows(
  sample: AgentSample,
  { view, filter, sort }: Pick<TopState, 'view' | 'filter' | 'sort'>,
): readonly Row[] {
  const byName = (a: Row, b: Row) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  return rowsOf(sample, view)
    .filter(({ name }) => name.includes(filter))
    .toSorted((a, b) => {
      if (sort === 'name') return byName(a, b);
      return (sort === 'use' ? shareOf(b) - shareOf(a) : b.usedBytes - a.usedBytes) || byName(a, b);
    });
}

/** The share of a row's limit in the last samples, oldest first; null where it was not there. */
export function pastOf(samples: readonly AgentSample[], view: View, name: string): (number | null)[] {
  return samples.map((sample) => {
    const row = rowsOf(sample, view).find((one) => one.name === name);
    return row === undefined ? null : shareOf(row);
  });
}
