/** The buckets and the stream that this service works with, and a consistent look at one host. */
import type { Bus, Store, Stored } from '@nautilus/bus';
import {
  buckets,
  type ContainerForecast,
  type DesiredBudget,
  type ObservedContainer,
  type ObservedHost,
  type RememberedContainer,
  streams,
} from '@nautilus/contracts';
import { containerOf } from './plan/attention.ts';
import type { ContainerState, HostSnapshot } from './plan/types.ts';

export interface State {
  readonly desired: Store<DesiredBudget>;
  readonly observed: Store<ObservedContainer>;
  readonly hosts: Store<ObservedHost>;
  readonly forecast: Store<ContainerForecast>;
  readonly remembered: Store<RememberedContainer>;
}

export interface HostView {
  readonly snapshot: HostSnapshot;
  /** By container; with the revisions that a write is compared with. */
  readonly desired: ReadonlyMap<string, Stored<DesiredBudget>>;
}

export async function openState(bus: Bus): Promise<State> {
  await bus.ensureStream(streams.decisions);
  return {
    desired: await bus.store(buckets.desired),
    observed: await bus.store(buckets.observed),
    hosts: await bus.store(buckets.observedHost),
    forecast: await bus.store(buckets.forecast),
    remembered: await bus.store(buckets.limitState),
  };
}

/** Null while the agent of the host has not reported. */
export async function viewHost(state: State, host: string): Promise<HostView | null> {
  const [stored, observed, written, forecasts] = await Promise.all([
    state.hosts.get(host),
    state.observed.snapshot(`${host}.*`),
    state.desired.snapshot(`${host}.*`),
    state.forecast.snapshot(`${host}.*`),
  ]);
  if (stored === null) return null;
  const desired = new Map([...written].map(([key, value]) => [containerOf(key), value]));
  const { grantableBytes, lingeringBytes, at } = stored.value;
  const containers = [...observed].map(([key, { value }]): ContainerState => {
    const { container: _, ...measured } = value;
    const name = containerOf(key);
    return {
      name,
      ...measured,
      desired: desired.get(name)?.value ?? null,
      forecast: forecasts.get(key)?.value,
    };
  });
  return { snapshot: { host, grantableBytes, lingeringBytes, at, containers }, desired };
}
