/** The calls of the Docker API that the agent makes, and no others: docs/guides/docker.md lists the same for a proxy. */
import { z } from 'zod';
import type { Answer, DockerConnection } from './connection.ts';

/** Docker names a cgroup after it, so nothing else may pass for one. */
export const containerId = z.string().regex(/^[0-9a-f]{64}$/, { error: 'must be 64 hexadecimal digits' });

export const containerStates = [
  'created',
  'running',
  'paused',
  'restarting',
  'removing',
  'exited',
  'dead',
] as const;
export type ContainerState = (typeof containerStates)[number] | 'unknown';

const labels = z
  .record(z.string(), z.string())
  .nullish()
  .transform((found) => found ?? {});
/** A state of a later engine must not hide all the other containers. */
const state = z
  .string()
  .transform((found): ContainerState => containerStates.find((known) => known === found) ?? 'unknown');

const listed = z.object({
  Id: containerId,
  Names: z
    .array(z.string())
    .nullish()
    .transform((names) => names ?? []),
  Labels: labels,
  State: state,
  /** Unix seconds. */
  Created: z.number().int(),
});
export type ListedContainer = z.output<typeof listed>;

/** Bytes; 0 is "not set", -1 "without limit". */
const setting = z.number().int().min(-1).default(0);

const inspected = z.object({
  Id: containerId,
  Name: z.string(),
  RestartCount: z.number().int().min(0).default(0),
  State: z.object({
    Status: state,
    /** 0 while nothing runs. */
    Pid: z.number().int().min(0),
    StartedAt: z.string(),
  }),
  // The rest is kept as it is, because a replica is created from it.
  Config: z.looseObject({ Labels: labels }),
  HostConfig: z.looseObject({
    Memory: setting,
    MemorySwap: setting,
    MemoryReservation: setting,
    OomScoreAdj: z.number().int().default(0),
    OomKillDisable: z.boolean().nullish(),
    CgroupParent: z.string().default(''),
    NetworkMode: z.string().default('default'),
  }),
});
export type InspectedContainer = z.output<typeof inspected>;

const count = z.number().nonnegative();
/** Without a running task the engine sends an empty object. */
const stats = z.object({
  memory_stats: z.object({
    usage: count.optional(),
    limit: count.optional(),
    stats: z.record(z.string(), count).optional(),
  }),
});
export type EngineStats = z.output<typeof stats>;

const info = z.object({
  CgroupDriver: z.string().default('none'),
  /** Engines before 20.10 know v1 only and do not say so. */
  CgroupVersion: z.enum(['1', '2']).default('1'),
  MemTotal: z.number().nonnegative(),
});
export type EngineInfo = z.output<typeof info>;

const nothing = z.unknown().transform(() => null);
const updated = z.object({ Warnings: z.array(z.string()).nullish() });
const created = z.object({ Id: containerId });

export interface UpdateBody {
  readonly Memory: number;
  readonly MemorySwap: number;
  readonly MemoryReservation: number;
}

export interface ApiDeadlines {
  readonly readMs: number;
  /** Of creating, starting, stopping (beside the patience of the stop itself) and removing. */
  readonly lifecycleMs: number;
}

export const defaultDeadlines: ApiDeadlines = { readMs: 3_000, lifecycleMs: 15_000 };

export class DockerApi {
  readonly #connection: DockerConnection;
  readonly #deadlines: ApiDeadlines;

  constructor(connection: DockerConnection, deadlines: ApiDeadlines = defaultDeadlines) {
    this.#connection = connection;
    this.#deadlines = deadlines;
  }

  info(): Promise<Answer<EngineInfo>> {
    return this.#get('/info', info);
  }

  list(): Promise<Answer<ListedContainer[]>> {
    return this.#get('/containers/json', z.array(listed), { all: true });
  }

  inspect(id: string, withinMs = this.#deadlines.readMs): Promise<Answer<InspectedContainer>> {
    const deadlineMs = Math.min(withinMs, this.#deadlines.readMs);
    return this.#connection.call({
      method: 'GET',
      path: `/containers/${id}/json`,
      schema: inspected,
      deadlineMs,
    });
  }

  /** `one-shot`: the engine would otherwise take a second sample, a second later, for shares of the processor. */
  stats(id: string): Promise<Answer<EngineStats>> {
    return this.#get(`/containers/${id}/stats`, stats, { stream: false, 'one-shot': true });
  }

  update(id: string, body: UpdateBody, deadlineMs: number): Promise<Answer<z.output<typeof updated>>> {
    const path = `/containers/${id}/update`;
    return this.#connection.call({ method: 'POST', path, body: { ...body }, schema: updated, deadlineMs });
  }

  start(id: string): Promise<Answer<null>> {
    return this.#post(`/containers/${id}/start`, {});
  }

  /** SIGTERM, and SIGKILL after the timeout. */
  stop(id: string, timeoutMs: number): Promise<Answer<null>> {
    return this.#post(`/containers/${id}/stop`, { t: seconds(timeoutMs) }, timeoutMs);
  }

  restart(id: string, timeoutMs: number): Promise<Answer<null>> {
    return this.#post(`/containers/${id}/restart`, { t: seconds(timeoutMs) }, timeoutMs);
  }

  create(name: string, body: Readonly<Record<string, unknown>>): Promise<Answer<{ Id: string }>> {
    const deadlineMs = this.#deadlines.lifecycleMs;
    const path = '/containers/create';
    return this.#connection.call({
      method: 'POST',
      path,
      query: { name },
      body,
      schema: created,
      deadlineMs,
    });
  }

  remove(id: string): Promise<Answer<null>> {
    const deadlineMs = this.#deadlines.lifecycleMs;
    const path = `/containers/${id}`;
    return this.#connection.call({ method: 'DELETE', path, schema: nothing, deadlineMs });
  }

  events(signal: AbortSignal) {
    const filters = JSON.stringify({ type: ['container'], event: followedEvents });
    const deadlineMs = this.#deadlines.readMs;
    return this.#connection.open({ path: '/events', query: { filters }, deadlineMs }, signal);
  }

  #get<T>(path: string, schema: z.ZodType<T>, query = {}): Promise<Answer<T>> {
    return this.#connection.call({ method: 'GET', path, query, schema, deadlineMs: this.#deadlines.readMs });
  }

  #post(path: string, query: Record<string, number>, patienceMs = 0): Promise<Answer<null>> {
    const deadlineMs = this.#deadlines.lifecycleMs + patienceMs;
    return this.#connection.call({ method: 'POST', path, query, schema: nothing, deadlineMs });
  }
}

/** Everything after which a container, its name, its limits or its cgroup are other than before. */
export const followedEvents = [
  'create',
  'start',
  'die',
  'oom',
  'update',
  'pause',
  'unpause',
  'rename',
  'restart',
  'stop',
  'destroy',
] as const;

/** The API knows whole seconds; a stop must not become a kill by rounding down. */
const seconds = (ms: number): number => Math.ceil(ms / 1000);
