/** Writes what the agent observes into KV: the durable picture that the orchestrator plans from. One writer a key. */
import type { Bus, Store } from '@nautilus/bus';
import { buckets, type ObservedContainer, type ObservedHost } from '@nautilus/contracts';
import type { Agent } from '../agent.ts';
import { liveBytesOf } from '../memory/ledger-figures.ts';

export class ObservedReport {
  readonly #agent: Agent;
  readonly #bus: Bus;
  #hosts: Store<ObservedHost> | null = null;
  #containers: Store<ObservedContainer> | null = null;

  readonly #written: () => void;

  /** `written`: what is counted since the last report begins anew. */
  constructor(agent: Agent, bus: Bus, written: () => void) {
    this.#agent = agent;
    this.#written = written;
    this.#bus = bus;
  }

  async write(): Promise<void> {
    const agent = this.#agent;
    this.#hosts ??= await this.#bus.store(buckets.observedHost);
    this.#containers ??= await this.#bus.store(buckets.observed);
    const { accounts, table, kept, host } = agent;
    const live = new Map<string, number>();
    const connected = new Set<string>();
    for (const lease of table.leases.values()) {
      const bytes = lease.mode === 'kept' ? kept.liveBytesOf(lease) : liveBytesOf(lease);
      live.set(lease.container, (live.get(lease.container) ?? 0) + (bytes ?? 0));
      if (lease.holders.size > 0) connected.add(lease.container);
    }
    const at = agent.now();
    const containers = this.#containers;
    await Promise.all(
      [...accounts.containers.values()].map(async (account) => {
        const { name, spec, budgetBytes, leasedBytes, highWaterBytes, refusedBytes } = account;
        await containers.put(`${host}.${name}`, {
          container: name,
          at,
          spec,
          budgetBytes,
          leasedBytes,
          liveBytes: live.get(name) ?? 0,
          highWaterBytes,
          refusedBytes,
          connected: connected.has(name),
          kernel: agent.kernelOf(name),
        });
        // Only what was reported is forgotten; a refusal meanwhile is in the next report.
        account.refusedBytes -= refusedBytes;
      }),
    );
    this.#written();
    // The host comes last: whoever sees its time has containers at least as new.
    await this.#hosts.put(host, {
      host,
      instance: agent.instance,
      at,
      grantableBytes: agent.shape.grantableBytes,
      leasedBytes: accounts.leasedBytes,
      lingeringBytes: accounts.lingeringBytes,
      epoch: table.budgetEpoch,
    });
  }
}
