/**
 * Hands every decision to the stream that keeps them for 30 days. One that could not be stored waits here and goes
 * first the next time; its id lets the stream drop a second copy.
 */
import type { Bus } from '@nautilus/bus';
import { type BudgetPlan, planDecided } from '@nautilus/contracts';
import type { Logger } from '@nautilus/kit';

/** What a broker outage of hours leaves behind at most; the oldest are given up, and that is logged. */
const longestQueue = 256;

export class Decisions {
  readonly #bus: Pick<Bus, 'publishDurable'>;
  readonly #log: Logger;
  readonly #waiting: BudgetPlan[] = [];

  constructor(bus: Pick<Bus, 'publishDurable'>, log: Logger) {
    this.#bus = bus;
    this.#log = log;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  add(plan: BudgetPlan): void {
    this.#waiting.push(plan);
    if (this.#waiting.length <= longestQueue) return;
    const lost = this.#waiting.shift();
    this.#log.error(
      { plan: lost?.plan, longestQueue },
      'too many decisions wait to be stored, giving up the oldest',
    );
  }

  /** Stores what waits, in order; what fails stays for the next call. */
  async flush(): Promise<void> {
    for (let plan = this.#waiting[0]; plan !== undefined; plan = this.#waiting[0]) {
      try {
        await this.#bus.publishDurable(planDecided, { host: plan.host }, plan, { messageId: plan.plan });
      } catch (error) {
        this.#log.warn(
          { err: error, plan: plan.plan, waiting: this.waiting },
          'a decision waits to be stored',
        );
        return;
      }
      this.#waiting.shift();
    }
  }
}
