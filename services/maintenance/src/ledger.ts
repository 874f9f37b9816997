/**
 * The durable memory of the calendar: per job and host the newest slot that was decided, and the last run. Changed by
 * compare-and-set only, because a run on request may end on another instance.
 */
import type { Store } from '@nautilus/bus';
import { type JobRun, NautilusError, type ScheduleRecord, type SlotEnding } from '@nautilus/contracts';

const attempts = 5;
/** One more than a decision may skip at once, so that a crash after it leaves no slot without an ending. */
export const keptEndings = 101;

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

  /**
   * The slots of these runs, oldest first, are done with, whatever came of them: in one step, or not at all. A slot
   * that somebody else has decided meanwhile keeps the ending it has.
   */
  decide(...runs: readonly [JobRun, ...JobRun[]]): Promise<void> {
    return this.#change(runs[0], (old) => {
      const open = runs.filter(({ slot }) => old === null || slot > old.lastSlot);
      const newest = open.at(-1);
      if (newest === undefined) return null;
      return {
        lastSlot: newest.slot,
        lastRun: newest,
        endings: [...(old?.endings ?? []), ...open.map(endingOf)].slice(-keptEndings),
        failuresInRow: open.reduce(failuresAfter, old?.failuresInRow ?? 0),
      };
    });
  }

  /** A run beside the calendar: it decides no slot. A host that never answered gets no ledger. */
  note(run: JobRun, dryRun: boolean): Promise<void> {
    const isDone = run.outcome === 'done';
    return this.#change(run, (old) => {
      if (old === null && !isDone) return null;
      return {
        lastSlot: old?.lastSlot ?? run.slot,
        lastRun: run,
        endings: old?.endings ?? [],
        // Someone has seen to it, and it works again.
        failuresInRow: isDone && !dryRun ? 0 : (old?.failuresInRow ?? 0),
      };
    });
  }

  /** From here on, whatever the ledger said before. */
  begin(run: JobRun): Promise<void> {
    return this.#change(run, (old) => ({
      lastSlot: run.slot,
      lastRun: run,
      endings: [...(old?.endings ?? []), endingOf(run)].slice(-keptEndings),
      failuresInRow: old?.failuresInRow ?? 0,
    }));
  }

  async #change(run: JobRun, from: (old: ScheduleRecord | null) => ScheduleRecord | null): Promise<void> {
    const key = ledgerKey(run.job, run.host);
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      const stored = await this.#store.get(key);
      const record = from(stored?.value ?? null);
      if (record === null) return;
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

function endingOf({ slot, outcome, reason, finishedAt }: JobRun): SlotEnding {
  return { slot, outcome, reason, finishedAt };
}

/** What was skipped says nothing about whether the job works. */
function failuresAfter(failures: number, { outcome }: JobRun): number {
  if (outcome === 'failed') return failures + 1;
  return outcome === 'done' ? 0 : failures;
}

export function ledgerKey(job: string, host: string): string {
  return `${job}.${host}`;
}
