/**
 * Obeys `desired` budgets: gathers what changed, applies it in the order that never exceeds the host, and asks
 * containers that hold more than they now may to give back.
 */
import type { Bus, Watch } from '@nautilus/bus';
import { buckets, type DesiredBudget, exchanges, NautilusError, notices } from '@nautilus/contracts';
import type { Logger } from '@nautilus/kit';
import { applyBudgets } from '../accounts/budgets.ts';
import type { Agent } from '../agent.ts';

/** Changes of one plan arrive one by one; waiting this long applies them together. */
const gatherMs = 20;
const askTimeoutMs = 5_000;

export class BudgetApplier {
  readonly #agent: Agent;
  readonly #bus: Bus;
  readonly #log: Logger;
  readonly #desired = new Map<string, DesiredBudget>();
  readonly #asking = new Set<string>();
  #watch: Watch | null = null;
  #pending: NodeJS.Timeout | null = null;

  constructor(agent: Agent, bus: Bus, log: Logger) {
    this.#agent = agent;
    this.#bus = bus;
    this.#log = log;
  }

  async start(): Promise<void> {
    const store = await this.#bus.store(buckets.desired);
    const prefix = `${this.#agent.host}.`;
    this.#watch = await store.watch(`${prefix}*`, ({ key, value }) => {
      const container = key.slice(prefix.length);
      // A deleted wish leaves the budget as it is: no budget is not the same as a budget of nothing.
      if (value === null) this.#desired.delete(container);
      else this.#desired.set(container, value);
      this.#pending ??= setTimeout(() => this.apply(), gatherMs);
    });
  }

  async stop(): Promise<void> {
    if (this.#pending !== null) clearTimeout(this.#pending);
    await this.#watch?.stop();
  }

  /** Also called now and then, because what waits for others to give back is not a message. */
  apply(): void {
    if (this.#pending !== null) clearTimeout(this.#pending);
    this.#pending = null;
    const { accounts, table, shape } = this.#agent;
    const holders = [...accounts.containers.values()].map(
      ({ name, budgetBytes, leasedBytes, lingeringBytes, spec }) => ({
        name,
        budgetBytes,
        leasedBytes: leasedBytes + lingeringBytes,
        maximumBytes: spec.maximumBytes,
      }),
    );
    const outcome = applyBudgets(holders, this.#desired, {
      grantableBytes: shape.grantableBytes,
      // In the claims of their containers already.
      lingeringBytes: 0,
      epoch: table.budgetEpoch,
    });
    for (const refusal of outcome.refused) {
      this.#desired.delete(refusal.container);
      this.#log.warn(refusal, 'desired budget refused');
    }
    if (outcome.changes.length > 0) this.#write(outcome.changes, outcome.epoch);
    table.budgetEpoch = outcome.epoch;
    this.#askForMemory();
  }

  #write(changes: ReturnType<typeof applyBudgets>['changes'], epoch: number): void {
    const { accounts, table, host, now } = this.#agent;
    const written = table.journal.append(
      ...changes.map(({ container, budgetBytes }) => ({
        op: 'budget' as const,
        container,
        bytes: budgetBytes,
        epoch,
      })),
    );
    // A restarted agent that missed these reads them from KV again.
    if (!written.ok) this.#log.warn({ fault: written.fault }, 'budgets not in the journal');
    for (const change of changes) {
      const account = accounts.containers.get(change.container);
      if (account === undefined) continue;
      account.budgetBytes = change.budgetBytes;
      this.#bus.publish(notices.budgetApplied, { host, party: 'agent' }, { at: now(), ...change });
      this.#log.info(change, 'budget applied');
    }
  }

  #askForMemory(): void {
    for (const account of this.#agent.accounts.containers.values()) {
      const bytes = account.leasedBytes - account.budgetBytes;
      if (bytes <= 0 || this.#asking.has(account.name)) continue;
      this.#asking.add(account.name);
      void this.#ask(account.name, bytes).finally(() => this.#asking.delete(account.name));
    }
  }

  async #ask(container: string, bytes: number): Promise<void> {
    const request = { degree: 'shrink' as const, bytes, reason: 'the budget is smaller than what is leased' };
    try {
      const answer = await this.#bus.request(
        exchanges.releaseMemory,
        { host: this.#agent.host, party: container },
        request,
        {
          timeoutMs: askTimeoutMs,
        },
      );
      this.#log.info(
        { container, askedBytes: bytes, releasedBytes: answer.releasedBytes },
        'container gave memory back',
      );
    } catch (error) {
      if (error instanceof NautilusError) {
        // Containers without the client library cannot be asked; the budget keeps them from growing.
        this.#log.warn(
          { container, askedBytes: bytes, code: error.code },
          'container could not be asked to give memory back',
        );
      } else this.#log.error({ err: error, container }, 'asking for memory failed');
    }
  }
}
