/**
 * Containers of a Docker engine, as a runtime. The engine says who there is and keeps the limits; the figures come from
 * the kernel, past the engine, so that they go on when it hangs.
 */
import type { Clock } from '@nautilus/kit';
import type { Controller } from '../cgroup/controller.ts';
import type { Hierarchy } from '../cgroup/detect.ts';
import type { CgroupFiles } from '../cgroup/files.ts';
import { checkRequest } from '../cgroup/shrink.ts';
import { cgroupV1 } from '../cgroup/v1.ts';
import { cgroupV2 } from '../cgroup/v2.ts';
import type {
  ContainerChange,
  ContainerRef,
  Figures,
  Gone,
  LimitGuard,
  LimitRequest,
  LimitResult,
  Observation,
  Pressure,
  ReclaimResult,
  Runtime,
  RuntimeWatch,
  WatchOptions,
} from '../runtime.ts';
import { type ApiDeadlines, DockerApi } from './api.ts';
import { Changes } from './changes.ts';
import { DockerConnection } from './connection.ts';
import { Inventory, isLive, refOf, type Tracked } from './inventory.ts';
import { limitContainer, Unsettled } from './limit.ts';
import { readProcMembership } from './locate.ts';
import { Scaling } from './scaling.ts';
import { type StartSettings, startSettings } from './start-settings.ts';
import { readStats } from './stats.ts';
import { watchEngine } from './watch.ts';

export interface DockerRuntimeOptions {
  readonly socketPath: string;
  /** Containers that are found by their name in Docker, without a label. */
  readonly configuredNames: ReadonlySet<string>;
  readonly files: CgroupFiles;
  readonly hierarchy: Hierarchy;
  readonly clock: Clock;
  readonly random: () => number;
  readonly pollMs: number;
  readonly relistMs: number;
  readonly deadlines?: ApiDeadlines;
  /** How long an engine that came back gets to work off what it had received. */
  readonly settleMs?: number;
  readonly readMembership?: (pid: number) => Promise<string>;
  /** Ends every call. */
  readonly signal?: AbortSignal;
}

export class DockerRuntime implements Runtime {
  readonly name = 'docker';
  readonly inventory: Inventory;
  readonly scaling: Scaling;
  readonly #options: DockerRuntimeOptions;
  readonly #api: DockerApi;
  readonly #controller: Controller | null;
  readonly #unsettled: Unsettled;

  constructor(options: DockerRuntimeOptions) {
    const { hierarchy, readMembership = readProcMembership, settleMs = 2_000 } = options;
    this.#options = options;
    this.#api = new DockerApi(new DockerConnection(options), options.deadlines);
    this.#controller = hierarchy.version === null ? null : hierarchy.version === 2 ? cgroupV2 : cgroupV1;
    this.#unsettled = new Unsettled(settleMs);
    this.inventory = new Inventory({ ...options, api: this.#api, readMembership });
    this.scaling = new Scaling(this.#api, this.inventory);
  }

  /** Those with processes. Without an engine that answers: those whose cgroups are still there. */
  async list(): Promise<readonly ContainerRef[]> {
    const failure = await this.inventory.refresh();
    const live = this.inventory.all.filter(isLive);
    return (failure === null ? live : live.filter(({ directory }) => directory?.isSame() === true)).map(
      refOf,
    );
  }

  watch(onChange: (change: ContainerChange) => void, options: WatchOptions): RuntimeWatch {
    const changes = new Changes(this.inventory, this.#controller);
    const { inventory } = this;
    return watchEngine({ ...this.#options, api: this.#api, inventory, changes }, onChange, options);
  }

  async observe(id: string): Promise<Observation | Gone> {
    const tracked = await this.#find(id);
    return typeof tracked === 'string' ? { kind: 'gone', reason: tracked } : await this.#observe(tracked);
  }

  pressure(id: string): Pressure {
    const tracked = this.inventory.get(id);
    if (tracked === null || !isLive(tracked)) {
      return { kind: 'gone', reason: `no running container is known as ${JSON.stringify(id)}` };
    }
    if (tracked.directory === null || this.#controller === null) {
      return { kind: 'missing', reason: tracked.whyNoCgroup };
    }
    const psi = this.#controller.pressure(tracked.directory);
    if (psi.ok) return { kind: 'pressure', psi: psi.value };
    return { kind: psi.refusal === 'gone' ? 'gone' : 'missing', reason: psi.reason };
  }

  async limit(id: string, request: LimitRequest, guard: LimitGuard): Promise<LimitResult> {
    checkRequest(request, guard);
    const tracked = await this.#find(id);
    const gone = (reason: string): LimitResult => ({
      outcome: 'gone',
      readBackBytes: null,
      reason,
      skipped: {},
    });
    if (typeof tracked === 'string') return gone(tracked);
    if (guard.incarnation !== undefined && guard.incarnation !== refOf(tracked).incarnation) {
      return gone(`${id} was started anew, or is another container now`);
    }
    const context = {
      api: this.#api,
      clock: this.#options.clock,
      controller: this.#controller,
      unsettled: this.#unsettled,
      figuresOf: async (): Promise<Figures | null> => {
        const seen = await this.#observe(tracked);
        return seen.kind === 'observation' ? seen : null;
      },
    };
    return await limitContainer(context, tracked, request, guard);
  }

  async reclaim(id: string, bytes: number, deadlineMs: number): Promise<ReclaimResult> {
    checkRequest({ bytes }, { usageMarginBytes: 0, deadlineMs });
    const tracked = await this.#find(id);
    const nothing = (outcome: 'gone' | 'unsupported', reason: string): ReclaimResult => ({
      outcome,
      reclaimedBytes: null,
      reason,
    });
    if (typeof tracked === 'string') return nothing('gone', tracked);
    if (tracked.directory === null || this.#controller === null) {
      return nothing('unsupported', `the engine cannot reclaim, and ${tracked.whyNoCgroup}`);
    }
    return await this.#controller.reclaim(tracked.directory, bytes, deadlineMs, this.#options.clock);
  }

  /** `wantedOomScoreAdj` null: any. */
  async startSettings(id: string, wantedOomScoreAdj: number | null): Promise<StartSettings | Gone> {
    const tracked = await this.#find(id);
    if (typeof tracked === 'string') return { kind: 'gone', reason: tracked };
    const inspected = await this.#api.inspect(tracked.id);
    if (!inspected.ok) return { kind: 'gone', reason: inspected.failure.reason };
    return startSettings(inspected.value, this.#options.hierarchy.version, wantedOomScoreAdj);
  }

  async #observe(tracked: Tracked): Promise<Observation | Gone> {
    const { directory } = tracked;
    if (directory === null || this.#controller === null) return await this.#askEngine(tracked);
    const { figures, missing, goneReason } = await this.#controller.observe(directory);
    // Figures of two lives in one observation would be nobody's.
    if (goneReason !== null || !directory.isSame()) {
      return { kind: 'gone', reason: goneReason ?? `${tracked.name} was started anew while it was read` };
    }
    const { ooms } = this.inventory;
    if (figures.oomKills !== null) ooms.sawCount(tracked.id, directory.incarnation, figures.oomKills);
    const oomKills = figures.oomKills === null ? null : ooms.killsOf(tracked.id);
    return { kind: 'observation', container: refOf(tracked), ...figures, oomKills, missing };
  }

  async #askEngine(tracked: Tracked): Promise<Observation | Gone> {
    const answer = await this.#api.stats(tracked.id);
    if (!answer.ok && answer.failure.kind === 'not-found')
      return { kind: 'gone', reason: answer.failure.reason };
    const stats = answer.ok ? answer.value : { memory_stats: {} };
    const why = answer.ok ? tracked.whyNoCgroup : `${tracked.whyNoCgroup}; ${answer.failure.reason}`;
    const machineBytes = this.inventory.engine?.MemTotal ?? Number.POSITIVE_INFINITY;
    return { kind: 'observation', container: refOf(tracked), ...spread(readStats(stats, why, machineBytes)) };
  }

  /** A string: why there is none. */
  async #find(name: string): Promise<Tracked | string> {
    const known = this.inventory.get(name);
    if (known?.directory?.isSame() === true) return known;
    const failure = await this.inventory.refresh();
    const found = this.inventory.get(name);
    if (found !== null && isLive(found) && found.directory?.isSame() !== false) return found;
    if (failure !== null) return `${JSON.stringify(name)} is not there as far as is known: ${failure.reason}`;
    if (found === null) return `no container is known as ${JSON.stringify(name)}`;
    return `${name} is ${found.state}: ${found.whyNoCgroup}`;
  }
}

function spread({ figures, missing }: ReturnType<typeof readStats>) {
  return { ...figures, missing };
}
