/**
 * The durable memory of the calendar: per job and host the newest slot that was decided, and the last run. Changed by
 * compare-and-set only, because a run on request may end on another instance.
 */
import type { Store } from '@nautilus/bus';
import { type JobRun, NautilusError, type ScheduleRecord } from '@nautilus/contracts';

const attempts = 5;

export class Ledger {
  readonly #store: Store<ScheduleRecord>;

  constructor(store: Store<ScheduleRecord>) {
    this.#store = store;
  }

  /** By `<job>.<host>`. */
  async all(): Promise<ReadonlyMap<string, ScheduleRecord>> {
    return new Map([...(await this.#store.snapshot())].map(([key, { value }]) => [key, value]));
  }

  async isDecided(job: string, host: string, slot: number): Promise<boolean> {
    const stored = await this.#store.get(ledgerKey(job, host));
    return stored !== null && stored.value.lastSlot >= slot;
  }

  /** The slot of this run is done with, whatever came of it. */
  decide(run: JobRun): Promise<void> {
    return this.#change(run, (old) => Math.max(old?.lastSlot ?? 0, run.slot));
  }

  /** A run beside the calendar: it decides no slot. A host that never answered gets no ledger. */
  note(run: JobRun): Promise<void> {
    return this.#change(run, (old) => old?.lastSlot ?? (run.outcome === 'done' ? run.slot : null));
  }

  /** From here on, whatever the ledger said before. */
  begin(run: JobRun): Promise<void> {
    return this.#change(run, () => run.slot);
  }

  async #change(run: JobRun, lastSlotFrom: (old: ScheduleRecord | null) => number | null): Promise<void> {
    const key = ledgerKey(run.job, run.host);
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      const stored = await this.#store.get(key);
      const lastSlot = lastSlotFrom(stored?.value ?? null);
      if (lastSlot === null) return;
      const record = { lastSlot, lastRun: run };
      const result =
        stored === null
          ? await this.#store.create(key, record)
          : await this.#store.update(key, record, stored.revision);
      if (result.ok) return;
    }
    throw new NautilusError({
      code: 'conflict',
      message: `the ledger of ${key} was changed by others ${attempts} times in a row; run ${run.run} is not recorded`,
      details: { key, run: run.run },
    });
  }
}

export function ledgerKey(job: string, host: string): string {
  return `${job}.${host}`;
}
