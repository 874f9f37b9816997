/**
 * OOM kills of a container over all its lives. The kernel counts them in the cgroup, but the cgroup goes with its last
 * process, often before anyone looked; then the engine's own `oom` event is what is left. The larger of the two sums
 * counts: never a kill twice, at worst one too few.
 */
interface Entry {
  /** Of the cgroup that counts now, and its count so far. */
  cgroup: string | null;
  count: number;
  /** Counted by cgroups before it. */
  earlier: number;
  events: number;
}

export class OomLedger {
  readonly #entries = new Map<string, Entry>();

  /** `cgroup`: what tells this cgroup from its successor in the same place. */
  sawCount(id: string, cgroup: string, count: number): void {
    const entry = this.#entry(id);
    if (entry.cgroup !== cgroup) {
      entry.earlier += entry.count;
      entry.cgroup = cgroup;
      entry.count = 0;
    }
    entry.count = Math.max(entry.count, count);
  }

  sawEvent(id: string): void {
    this.#entry(id).events += 1;
  }

  killsOf(id: string): number {
    const { earlier, count, events } = this.#entry(id);
    return Math.max(earlier + count, events);
  }

  keepOnly(ids: ReadonlySet<string>): void {
    for (const id of this.#entries.keys()) if (!ids.has(id)) this.#entries.delete(id);
  }

  #entry(id: string): Entry {
    let entry = this.#entries.get(id);
    if (entry === undefined) {
      entry = { cgroup: null, count: 0, earlier: 0, events: 0 };
      this.#entries.set(id, entry);
    }
    return entry;
  }
}
