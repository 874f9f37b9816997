/**
 * Hands every decision to the stream that keeps them for 30 days: what it was decided from, the plan, and what was
 * refused. One that could not be stored waits here and goes first the next time; its id lets the stream drop a second
 * copy.
 */
import type { Bus } from '@nautilus/bus';
import {
  type BudgetPlan,
  decisionRefused,
  planDecided,
  planRecorded,
  type RecordedInput,
  type RefusedDecision,
} from '@nautilus/contracts';
import type { Logger } from '@nautilus/kit';
import { type PlanInput, recordInput } from './record.ts';

type Entry =
  | { readonly kind: 'plan'; readonly id: string; readonly plan: BudgetPlan }
  | { readonly kind: 'record'; readonly id: string; readonly record: RecordedInput }
  | { readonly kind: 'refusal'; readonly id: string; readonly refusal: RefusedDecision };

/** What a broker outage of hours leaves behind at most; the oldest are given up, and that is logged. */
const longestQueue = 512;

export class Decisions {
  readonly #bus: Pick<Bus, 'publishDurable'>;
  readonly #log: Logger;
  readonly #waiting: Entry[] = [];

  constructor(bus: Pick<Bus, 'publishDurable'>, log: Logger) {
    this.#bus = bus;
    this.#log = log;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** With what it was decided from, so that it can be decided again. */
  add(plan: BudgetPlan, input: PlanInput | null = null): void {
    const records = input === null ? [] : recordInput(plan.plan, input);
    for (const record of records) {
      this.#push({ kind: 'record', id: `${plan.plan}-input-${record.part}`, record });
    }
    const inputDigest = records[0]?.digest;
    const told = inputDigest === undefined ? plan : { ...plan, inputDigest };
    this.#push({ kind: 'plan', id: plan.plan, plan: told });
  }

  refuse(id: string, refusal: RefusedDecision): void {
    this.#push({ kind: 'refusal', id, refusal });
  }

  /** Stores what waits, in order; what fails stays for the next call. */
  async flush(): Promise<void> {
    for (let entry = this.#waiting[0]; entry !== undefined; entry = this.#waiting[0]) {
      try {
        await this.#store(entry);
      } catch (error) {
        this.#log.warn(
          { err: error, decision: entry.id, waiting: this.waiting },
          'a decision waits to be stored',
        );
        return;
      }
      this.#waiting.shift();
    }
  }

  #store(entry: Entry): Promise<unknown> {
    const options = { messageId: entry.id };
    switch (entry.kind) {
      case 'plan':
        return this.#bus.publishDurable(planDecided, { host: entry.plan.host }, entry.plan, options);
      case 'record':
        return this.#bus.publishDurable(planRecorded, { host: entry.record.host }, entry.record, options);
      case 'refusal':
        return this.#bus.publishDurable(
          decisionRefused,
          { host: entry.refusal.host },
          entry.refusal,
          options,
        );
    }
  }

  #push(entry: Entry): void {
    this.#waiting.push(entry);
    if (this.#waiting.length <= longestQueue) return;
    const lost = this.#waiting.shift();
    this.#log.error(
      { decision: lost?.id, longestQueue },
      'too many decisions wait to be stored, giving up the oldest',
    );
  }
}
