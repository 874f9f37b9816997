/** Stands in for the agent of a host: states what it observes, and sees what is decided for it. */
import type { Bus, Store } from '@nautilus/bus';
import {
  buckets,
  type ContainerSpec,
  type DesiredBudget,
  type ObservedContainer,
  type ObservedHost,
} from '@nautilus/contracts';

export const MiB = 1024 ** 2;

export type Use = Partial<Omit<ObservedContainer, 'container' | 'spec'>> & { spec?: Partial<ContainerSpec> };

export class FakeHost {
  readonly name: string;
  readonly capacityBytes: number;
  readonly #hosts: Store<ObservedHost>;
  readonly #observed: Store<ObservedContainer>;
  readonly #desired: Store<DesiredBudget>;

  private constructor(
    name: string,
    capacityBytes: number,
    hosts: Store<ObservedHost>,
    observed: Store<ObservedContainer>,
    desired: Store<DesiredBudget>,
  ) {
    this.name = name;
    this.capacityBytes = capacityBytes;
    this.#hosts = hosts;
    this.#observed = observed;
    this.#desired = desired;
  }

  static async open(bus: Bus, name: string, capacityBytes: number): Promise<FakeHost> {
    return new FakeHost(
      name,
      capacityBytes,
      await bus.store(buckets.observedHost),
      await bus.store(buckets.observed),
      await bus.store(buckets.desired),
    );
  }

  async report(containers: Readonly<Record<string, Use>>, at = Date.now()): Promise<void> {
    const decided = await this.desired();
    for (const [container, { spec, ...use }] of Object.entries(containers)) {
      await this.#observed.put(`${this.name}.${container}`, {
        container,
        at,
        spec: {
          minimumBytes: 64 * MiB,
          maximumBytes: 1024 * MiB,
          priority: 'normal',
          policy: 'burstable',
          resize: 'any-time',
          scale: null,
          ...spec,
        },
        // It has obeyed whatever was decided until now.
        budgetBytes: decided[container]?.budgetBytes ?? 64 * MiB,
        leasedBytes: 0,
        liveBytes: 0,
        highWaterBytes: use.leasedBytes ?? 0,
        refusedBytes: 0,
        connected: true,
        ...use,
      });
    }
    await this.#hosts.put(this.name, {
      host: this.name,
      instance: 'a-1',
      at,
      grantableBytes: this.capacityBytes,
      leasedBytes: 0,
      lingeringBytes: 0,
      epoch: 0,
    });
  }

  /** The desired budgets by container. */
  async desired(): Promise<Record<string, DesiredBudget>> {
    const stored = await this.#desired.snapshot(`${this.name}.*`);
    return Object.fromEntries(
      [...stored].map(([key, { value }]) => [key.slice(this.name.length + 1), value]),
    );
  }

  /** In MiB, by container. */
  async budgets(): Promise<Record<string, number>> {
    return Object.fromEntries(
      Object.entries(await this.desired()).map(([name, { budgetBytes }]) => [name, budgetBytes / MiB]),
    );
  }
}
