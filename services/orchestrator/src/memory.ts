/**
 * What the leader remembers of the containers of each host: loaded from KV when it first looks at a host, kept here, and
 * written back when it matters, so that the next leader goes on from there.
 */
import type { Store } from '@nautilus/bus';
import type { ContainerChanged, RememberedContainer } from '@nautilus/contracts';
import { containerOf } from './plan/attention.ts';
import { lookAgain, type Quiet } from './quiet.ts';

interface HostRecord {
  readonly containers: Map<string, RememberedContainer>;
  readonly saved: Map<string, RememberedContainer>;
  readonly toldOomKills: Map<string, number>;
  quiet: Quiet | null;
}

/** Losing so much observed time with a leader costs a slightly wider margin, and no memory of a kill. */
const saveAfterMs = 60_000;

export class Memory {
  readonly #store: Store<RememberedContainer>;
  readonly #hosts = new Map<string, HostRecord>();

  constructor(store: Store<RememberedContainer>) {
    this.#store = store;
  }

  /** Counts as a look when the agent has reported since the one before. */
  async look(host: string, at: number, hasBudgets: boolean): Promise<boolean> {
    const record = await this.#open(host);
    record.quiet = lookAgain(record.quiet, at, hasBudgets);
    return record.quiet.looksLeft > 0;
  }

  isQuiet(host: string): boolean {
    return (this.#hosts.get(host)?.quiet?.looksLeft ?? 0) > 0;
  }

  of(host: string, container: string): RememberedContainer | undefined {
    return this.#hosts.get(host)?.containers.get(container);
  }

  toldOomKills(host: string, container: string): number {
    return this.#hosts.get(host)?.toldOomKills.get(container) ?? 0;
  }

  async tell(host: string, { container, change }: ContainerChanged): Promise<void> {
    if (change !== 'oom-killed') return;
    const { toldOomKills } = await this.#open(host);
    toldOomKills.set(container, (toldOomKills.get(container) ?? 0) + 1);
  }

  /** After a round that went through. `told` are the kills that it has taken into account. */
  keep(
    host: string,
    remembered: ReadonlyMap<string, RememberedContainer>,
    told: ReadonlyMap<string, number>,
  ): void {
    const record = this.#hosts.get(host);
    if (record === undefined) return;
    for (const [container, value] of remembered) record.containers.set(container, value);
    for (const [container, count] of told) {
      const left = (record.toldOomKills.get(container) ?? 0) - count;
      if (left > 0) record.toldOomKills.set(container, left);
      else record.toldOomKills.delete(container);
    }
  }

  async save(host: string, isLeading: () => boolean): Promise<void> {
    const record = this.#hosts.get(host);
    if (record === undefined) return;
    for (const [container, value] of record.containers) {
      if (!isDue(record.saved.get(container), value)) continue;
      if (!isLeading()) return;
      await this.#store.put(`${host}.${container}`, value);
      record.saved.set(container, value);
    }
  }

  async #open(host: string): Promise<HostRecord> {
    const known = this.#hosts.get(host);
    if (known !== undefined) return known;
    const stored = await this.#store.snapshot(`${host}.*`);
    const containers = [...stored].map(([key, { value }]) => [containerOf(key), value] as const);
    const record: HostRecord = {
      containers: new Map(containers),
      saved: new Map(containers),
      toldOomKills: new Map(),
      quiet: null,
    };
    // Two callers may have waited for the same answer.
    const first = this.#hosts.get(host) ?? record;
    this.#hosts.set(host, first);
    return first;
  }
}

export function isDue(saved: RememberedContainer | undefined, now: RememberedContainer): boolean {
  return (
    saved === undefined ||
    saved.incarnation !== now.incarnation ||
    saved.loanBytes !== now.loanBytes ||
    saved.limit.limitBytes !== now.limit.limitBytes ||
    saved.limit.scar?.guardBytes !== now.limit.scar?.guardBytes ||
    saved.limit.scar?.weight !== now.limit.scar?.weight ||
    now.limit.observedMs - saved.limit.observedMs >= saveAfterMs
  );
}
