/** What changed since it was last told: containers that come and go, and what their cgroups counted meanwhile. */
import type { Controller } from '../cgroup/controller.ts';
import type { ContainerChange, ContainerRef } from '../runtime.ts';
import { type Inventory, isLive, refOf, type Tracked } from './inventory.ts';

interface Told {
  container: ContainerRef;
  isPresent: boolean;
  /** Over all lives; a kill that ends a life is told when it is learnt of. */
  oomKills: number;
  /** Of this life; null until it was looked at. */
  highEvents: number | null;
  maxEvents: number | null;
  stopNotifying: () => void;
}

export class Changes {
  readonly #inventory: Inventory;
  readonly #controller: Controller | null;
  /** By the engine's id: a name may change its bearer, and a bearer its name. */
  readonly #told = new Map<string, Told>();
  /** Of containers that died and were not yet told to have vanished. */
  readonly #exitCodes = new Map<string, number>();

  constructor(inventory: Inventory, controller: Controller | null) {
    this.#inventory = inventory;
    this.#controller = controller;
  }

  /** After a new list. `lookSooner` is called when the kernel notifies of memory events. */
  async listed(lookSooner: () => void): Promise<ContainerChange[]> {
    const changes: ContainerChange[] = [];
    const known = new Map(this.#inventory.all.map((tracked) => [tracked.id, tracked]));
    for (const [id, told] of this.#told) {
      const now = known.get(id);
      const isSame = now !== undefined && isLive(now) && isSameRef(refOf(now), told.container);
      if (told.isPresent && !isSame) {
        const exitCode = this.#exitCodes.get(id);
        changes.push({
          kind: 'vanished',
          container: told.container,
          ...(exitCode === undefined ? {} : { exitCode }),
        });
        this.#exitCodes.delete(id);
        told.isPresent = false;
        told.stopNotifying();
      }
      if (now === undefined) this.#told.delete(id);
    }
    for (const tracked of known.values()) {
      if (!isLive(tracked) || this.#told.get(tracked.id)?.isPresent === true) continue;
      await this.#begin(tracked, lookSooner);
      changes.push({ kind: 'appeared', container: refOf(tracked) });
    }
    changes.push(...(await this.counted()));
    return changes;
  }

  /** What the cgroups count now. */
  async counted(): Promise<ContainerChange[]> {
    const changes: ContainerChange[] = [];
    for (const tracked of this.#inventory.all) {
      const told = this.#told.get(tracked.id);
      if (told === undefined) continue;
      const counts = told.isPresent ? await this.#count(tracked) : null;
      const change = this.#difference(tracked.id, told, counts);
      if (change !== null) changes.push(change);
    }
    return changes;
  }

  sawDeath(id: string, exitCode: number | null): void {
    if (exitCode !== null && this.#told.has(id)) this.#exitCodes.set(id, exitCode);
  }

  sawOom(id: string): ContainerChange[] {
    this.#inventory.ooms.sawEvent(id);
    const told = this.#told.get(id);
    const change = told === undefined ? null : this.#difference(id, told, null);
    return change === null ? [] : [change];
  }

  close(): void {
    for (const { stopNotifying } of this.#told.values()) stopNotifying();
    this.#told.clear();
  }

  /** What was counted before a container was first seen is not news; what was counted between two lives is. */
  async #begin(tracked: Tracked, lookSooner: () => void): Promise<void> {
    const before = this.#told.get(tracked.id);
    const counts = await this.#count(tracked);
    const controller = this.#controller;
    const notice =
      controller !== null && controller.whyNoNotification === null
        ? tracked.directory?.notify(controller.eventsFile, lookSooner)
        : undefined;
    this.#told.set(tracked.id, {
      container: refOf(tracked),
      isPresent: true,
      oomKills: before?.oomKills ?? this.#inventory.ooms.killsOf(tracked.id),
      highEvents: counts?.highEvents ?? null,
      maxEvents: counts?.maxEvents ?? null,
      stopNotifying: notice?.ok === true ? notice.value : () => undefined,
    });
  }

  async #count({ id, directory }: Tracked) {
    if (directory === null || this.#controller === null) return null;
    const { figures, goneReason } = await this.#controller.observe(directory);
    if (goneReason !== null) return null;
    if (figures.oomKills !== null) this.#inventory.ooms.sawCount(id, directory.incarnation, figures.oomKills);
    return { highEvents: figures.highEvents, maxEvents: figures.maxEvents };
  }

  #difference(
    id: string,
    told: Told,
    counts: { highEvents: number | null; maxEvents: number | null } | null,
  ): ContainerChange | null {
    const oomKills = this.#inventory.ooms.killsOf(id) - told.oomKills;
    const highEvents = since(told.highEvents, counts?.highEvents ?? null);
    const maxEvents = since(told.maxEvents, counts?.maxEvents ?? null);
    told.oomKills += oomKills;
    told.highEvents = later(told.highEvents, counts?.highEvents ?? null);
    told.maxEvents = later(told.maxEvents, counts?.maxEvents ?? null);
    if (oomKills === 0 && (highEvents ?? 0) === 0 && (maxEvents ?? 0) === 0) return null;
    return { kind: 'memory-events', container: told.container, oomKills, highEvents, maxEvents };
  }
}

function isSameRef(one: ContainerRef, other: ContainerRef): boolean {
  return one.id === other.id && one.incarnation === other.incarnation;
}

/** Two looks may overlap: counters only rise, so the smaller is the older. */
function since(before: number | null, now: number | null): number | null {
  return before === null || now === null ? null : Math.max(0, now - before);
}

function later(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.max(one, other);
}
