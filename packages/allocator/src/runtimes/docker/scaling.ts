/**
 * Starting, stopping, restarting and copying containers. Only what is ours is touched, and only a replica is removed:
 * what a person created, a person deletes.
 */
import type { DockerApi } from './api.ts';
import type { Answer } from './connection.ts';
import { replicaLabel } from './discovery.ts';
import type { Failure } from './failure.ts';
import { type Inventory, isLive, type Tracked } from './inventory.ts';
import { planReplica } from './replica.ts';

export type LifecycleOutcome = 'done' | 'refused' | 'gone' | 'timed-out';

export interface LifecycleResult {
  readonly outcome: LifecycleOutcome;
  readonly reason: string;
}

export class Scaling {
  readonly #api: DockerApi;
  readonly #inventory: Inventory;

  constructor(api: DockerApi, inventory: Inventory) {
    this.#api = api;
    this.#inventory = inventory;
  }

  start(name: string): Promise<LifecycleResult> {
    return this.#act(name, 'started', ({ id }) => this.#api.start(id));
  }

  /** `timeoutMs`: from SIGTERM to SIGKILL. */
  stop(name: string, timeoutMs: number): Promise<LifecycleResult> {
    return this.#act(name, 'stopped', ({ id }) => this.#api.stop(id, timeoutMs));
  }

  restart(name: string, timeoutMs: number): Promise<LifecycleResult> {
    return this.#act(name, 'restarted', ({ id }) => this.#api.restart(id, timeoutMs));
  }

  /** Another container like `source`, running, under a name of its own. */
  async addReplica(source: string, replicaName: string): Promise<LifecycleResult> {
    const tracked = await this.#find(source);
    if (tracked === null) return unknown(source);
    const original = await this.#api.inspect(tracked.id);
    if (!original.ok) return failed(original.failure);
    const plan = planReplica(original.value, source, replicaName);
    if (!plan.ok) return { outcome: 'refused', reason: plan.reason };
    const created = await this.#api.create(replicaName, plan.body);
    if (!created.ok) return failed(created.failure);
    const started = await this.#api.start(created.value.Id);
    if (started.ok) {
      await this.#inventory.refresh();
      return { outcome: 'done', reason: `${replicaName} runs, a replica of ${source}` };
    }
    const removed = await this.#api.remove(created.value.Id);
    const left = removed.ok ? '' : `; and it could not be removed: ${removed.failure.reason}`;
    const result = failed(started.failure);
    return { ...result, reason: `${result.reason}${left}` };
  }

  async removeReplica(name: string, timeoutMs: number): Promise<LifecycleResult> {
    const tracked = await this.#find(name);
    if (tracked === null) return unknown(name);
    if (tracked.replicaOf === null) {
      return {
        outcome: 'refused',
        reason: `${name} has no label ${replicaLabel}, so it is not ours to remove`,
      };
    }
    return await this.#act(name, 'removed', async ({ id }) => {
      const stopped = await this.#api.stop(id, timeoutMs);
      return stopped.ok ? await this.#api.remove(id) : stopped;
    });
  }

  replicasOf(source: string): readonly Tracked[] {
    return this.#inventory.all.filter((one) => one.replicaOf === source && isLive(one));
  }

  async #act(
    name: string,
    done: string,
    act: (tracked: Tracked) => Promise<Answer<null>>,
  ): Promise<LifecycleResult> {
    const tracked = await this.#find(name);
    if (tracked === null) return unknown(name);
    const answer = await act(tracked);
    await this.#inventory.refresh();
    return answer.ok ? { outcome: 'done', reason: `${name} was ${done}` } : failed(answer.failure);
  }

  async #find(name: string): Promise<Tracked | null> {
    await this.#inventory.refresh();
    return this.#inventory.get(name);
  }
}

function unknown(name: string): LifecycleResult {
  return { outcome: 'gone', reason: `no container is known as ${JSON.stringify(name)}` };
}

function failed({ kind, reason }: Failure): LifecycleResult {
  if (kind === 'not-found') return { outcome: 'gone', reason };
  return { outcome: kind === 'timed-out' || kind === 'unreachable' ? 'timed-out' : 'refused', reason };
}
