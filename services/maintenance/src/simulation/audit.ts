/** Counts what became of every slot, from the writes of the ledger alone and against the calendar of the zone. */
import type { ScheduleRecord, SlotEnding } from '@nautilus/contracts';
import type { Calendar } from '../calendar/types.ts';

export interface Tally {
  readonly slots: number;
  readonly done: number;
  readonly failed: number;
  readonly skipped: number;
  /** Slots with two endings in one ledger. */
  readonly duplicates: number;
  /** Slots of the calendar without any ending. */
  readonly silent: number;
  /** Ended under a clock that was far ahead, and again after it was set right and the ledger began anew. */
  readonly again: number;
  /** Local dates without a slot of the daily job, found without the cron engine. */
  readonly datesWithoutSlot: number;
}

const isBeginning = ({ reason }: SlotEnding) =>
  reason !== null && /^the (calendar of this host begins|ledger is .* ahead)/.test(reason);

export class Audit {
  readonly #seen = new Set<string>();
  readonly #ended = new Map<number, SlotEnding>();
  readonly #rewound = new Set<number>();
  /** What "so were all earlier ones" covers. */
  readonly #covered: { readonly after: number; readonly upTo: number }[] = [];
  #firstAt: number | null = null;
  #lastSlot = 0;
  #duplicates = 0;
  #again = 0;

  hasEnded(slot: number): boolean {
    return this.#ended.has(slot);
  }

  take(record: ScheduleRecord): void {
    for (const ending of record.endings) {
      const id = `${ending.slot}/${ending.finishedAt}/${ending.outcome}/${ending.reason}`;
      if (this.#seen.has(id)) continue;
      this.#seen.add(id);
      if (isBeginning(ending)) this.#begin(ending.slot);
      else this.#end(ending);
    }
    this.#lastSlot = record.lastSlot;
  }

  #begin(at: number): void {
    this.#firstAt ??= at;
    for (const slot of [...this.#ended.keys()].filter((each) => each > at)) {
      this.#ended.delete(slot);
      this.#rewound.add(slot);
    }
  }

  #end(ending: SlotEnding): void {
    if (ending.reason?.endsWith('so were all earlier ones')) {
      this.#covered.push({ after: this.#lastSlot, upTo: ending.slot });
    }
    if (this.#ended.has(ending.slot)) this.#duplicates += 1;
    else if (this.#rewound.delete(ending.slot)) this.#again += 1;
    this.#ended.set(ending.slot, ending);
  }

  tally(calendar: Calendar, now: number, dailyZone: string | null): Tally {
    const first = this.#firstAt ?? now;
    let slots = 0;
    let silent = 0;
    for (let slot = calendar.next(first); slot !== null && slot <= now; slot = calendar.next(slot)) {
      slots += 1;
      if (!this.#ended.has(slot) && !this.#isCovered(slot)) silent += 1;
    }
    const count = (outcome: string) =>
      [...this.#ended.values()].filter((each) => each.outcome === outcome).length;
    return {
      slots,
      done: count('done'),
      failed: count('failed'),
      skipped: count('skipped'),
      duplicates: this.#duplicates,
      silent,
      again: this.#again,
      datesWithoutSlot: dailyZone === null ? 0 : this.#datesWithoutSlot(dailyZone, first, now),
    };
  }

  #isCovered(at: number): boolean {
    return this.#covered.some(({ after, upTo }) => at > after && at <= upTo);
  }

  #datesWithoutSlot(timeZone: string, first: number, now: number): number {
    const format = new Intl.DateTimeFormat('en-CA', { timeZone });
    const dates = new Set([...this.#ended.keys()].map((slot) => format.format(slot)));
    let without = 0;
    const dayMs = 86_400_000;
    for (let at = first + dayMs; at < now - dayMs; at += dayMs) {
      if (!dates.has(format.format(at)) && !this.#isCovered(at)) without += 1;
    }
    return without;
  }
}
