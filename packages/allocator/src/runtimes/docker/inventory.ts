/**
 * What is known of our containers: the engine's list, each container's latest start, and its cgroup. The list is always
 * taken anew as a whole, so that nothing depends on having seen every event. An engine that cannot be asked changes
 * nothing here: the containers run on without it, and their cgroups say whether they do.
 */
import type { Hierarchy } from '../cgroup/detect.ts';
import type { CgroupDirectory, CgroupFiles } from '../cgroup/files.ts';
import type { ContainerRef } from '../runtime.ts';
import type { ContainerState, DockerApi, EngineInfo, InspectedContainer } from './api.ts';
import type { Answer } from './connection.ts';
import { discover, type FoundContainer, type RejectedContainer } from './discovery.ts';
import type { Failure } from './failure.ts';
import { locate } from './locate.ts';
import { OomLedger } from './oom-ledger.ts';
import { RestartHistory } from './restarts.ts';

export interface Tracked extends FoundContainer {
  readonly startedAt: string;
  /** What Docker counts, which begins anew when a person starts the container. */
  readonly restartCount: number;
  /** Null: see the reason. */
  readonly directory: CgroupDirectory | null;
  readonly whyNoCgroup: string;
}

export interface InventoryOptions {
  readonly api: DockerApi;
  readonly files: CgroupFiles;
  readonly hierarchy: Hierarchy;
  readonly readMembership: (pid: number) => Promise<string>;
  readonly configuredNames: ReadonlySet<string>;
}

export class Inventory {
  readonly ooms = new OomLedger();
  rejected: readonly RejectedContainer[] = [];
  /** Null: the engine answered the last time it was asked. */
  failure: Failure | null = null;
  readonly #options: InventoryOptions;
  readonly #histories = new Map<string, RestartHistory>();
  #engine: EngineInfo | null = null;
  #tracked: ReadonlyMap<string, Tracked> = new Map();
  #begun = 0;
  #taken = 0;

  constructor(options: InventoryOptions) {
    this.#options = options;
  }

  get engine(): EngineInfo | null {
    return this.#engine;
  }

  get all(): readonly Tracked[] {
    return [...this.#tracked.values()];
  }

  get(name: string): Tracked | null {
    return this.#tracked.get(name) ?? null;
  }

  byId(id: string): Tracked | null {
    return this.all.find((tracked) => tracked.id === id) ?? null;
  }

  /** Of a container id. */
  historyOf(id: string): RestartHistory {
    let history = this.#histories.get(id);
    if (history === undefined) {
      history = new RestartHistory();
      this.#histories.set(id, history);
    }
    return history;
  }

  async refresh(): Promise<Failure | null> {
    this.#begun += 1;
    const turn = this.#begun;
    const known = this.#tracked;
    const answer = await this.#look(known);
    // A look that began later has been taken already: this one is old news.
    if (turn < this.#taken) return answer.ok ? null : answer.failure;
    this.#taken = turn;
    if (!answer.ok) {
      // It may be another engine when it comes back.
      this.#engine = null;
      this.failure = answer.failure;
      return answer.failure;
    }
    this.failure = null;
    this.#tracked = new Map(answer.value.map((tracked) => [tracked.name, tracked]));
    const ids = new Set(answer.value.map(({ id }) => id));
    this.ooms.keepOnly(ids);
    for (const id of this.#histories.keys()) if (!ids.has(id)) this.#histories.delete(id);
    for (const { id, startedAt } of answer.value) {
      const startedAtMs = Date.parse(startedAt);
      // Docker says year 1 of what never started.
      if (startedAtMs > 0) this.historyOf(id).started(startedAtMs);
    }
    return null;
  }

  async #look(known: ReadonlyMap<string, Tracked>): Promise<Answer<Tracked[]>> {
    const { api, configuredNames } = this.#options;
    const engine = this.#engine === null ? await api.info() : { ok: true as const, value: this.#engine };
    if (!engine.ok) return engine;
    const listed = await api.list();
    if (!listed.ok) return listed;
    this.#engine = engine.value;
    const { found, rejected } = discover(listed.value, configuredNames);
    this.rejected = rejected;
    const looks = [...found.values()].map((one) => this.#lookAt(one, known.get(one.name), engine.value));
    const tracked = await Promise.all(looks);
    return { ok: true, value: tracked.filter((one) => one !== null) };
  }

  /** Null: it went away meanwhile. */
  async #lookAt(
    one: FoundContainer,
    before: Tracked | undefined,
    engine: EngineInfo,
  ): Promise<Tracked | null> {
    const isSame = before !== undefined && before.id === one.id;
    // A cgroup ends with the life of its container: while it is there, nothing else changed.
    if (isSame && isLive(one) && before.directory?.isSame() === true) return { ...before, ...one };
    const inspected = await this.#options.api.inspect(one.id);
    if (inspected.ok) return await this.#follow(one, inspected.value, engine);
    if (inspected.failure.kind === 'not-found') return null;
    const unknown = { startedAt: '', restartCount: 0, directory: null };
    return { ...(isSame ? before : unknown), ...one, whyNoCgroup: inspected.failure.reason };
  }

  async #follow(one: FoundContainer, inspected: InspectedContainer, engine: EngineInfo): Promise<Tracked> {
    const { State, RestartCount } = inspected;
    const { files, hierarchy, readMembership } = this.#options;
    // It may have gone on since the list was made.
    const state: ContainerState = State.Status;
    const facts = { ...one, state, startedAt: State.StartedAt, restartCount: RestartCount };
    if (!isLive(facts)) {
      return { ...facts, directory: null, whyNoCgroup: `the container is ${state}, and has no process` };
    }
    const located = await locate(inspected, { files, hierarchy, engine, readMembership });
    return located.ok
      ? { ...facts, directory: located.directory, whyNoCgroup: '' }
      : { ...facts, directory: null, whyNoCgroup: located.reason };
  }
}

/** Has processes, and so memory. */
export function isLive({ state }: { readonly state: ContainerState }): boolean {
  return state === 'running' || state === 'paused';
}

/** One life of one container: what restarts has another cgroup, whose limits and counters are new. */
export function refOf({ name, id, startedAt }: Tracked): ContainerRef {
  return { id: name, incarnation: `${id}@${startedAt}` };
}
