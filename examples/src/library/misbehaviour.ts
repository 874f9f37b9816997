/**
 * What the sandbox does to a host on request: holds, hogs, leaks. Leaked blocks are forgotten as a real leak is: a
 * polite request for memory does not find them, only the operator's `release` does.
 */
import { BlockSet } from './block-set.ts';
import type { FaultLog } from './fault-log.ts';
import type { MemoryPool } from './platform.ts';
import { faultFigures, type Report } from './report.ts';
import { touchPages } from './touch.ts';

const hogBytes = 4 * 1024 ** 2;

export interface MisbehaviourOptions {
  readonly pool: MemoryPool;
  readonly report: Report;
  readonly faults: FaultLog;
  readonly signal: AbortSignal;
}

export class Misbehaviour {
  readonly #options: MisbehaviourOptions;
  readonly #held: BlockSet;
  readonly #leaked: BlockSet;
  #leakRate = 0;
  /** Fractions of a byte a turn add up. */
  #leakDebt = 0;
  #isHogging = false;

  constructor(options: MisbehaviourOptions) {
    this.#options = options;
    this.#held = new BlockSet(options);
    this.#leaked = new BlockSet(options);
  }

  get heldBytes(): number {
    return this.#held.liveBytes;
  }

  get leakedBytes(): number {
    return this.#leaked.liveBytes;
  }

  get liveBytes(): number {
    return this.heldBytes + this.leakedBytes;
  }

  /** False when it was refused. */
  async lease(bytes: number): Promise<boolean> {
    const block = await this.#held.add(bytes);
    if (block === null) return false;
    touchPages(block.view(), 1);
    return true;
  }

  /** Takes everything there is, and reports what the refusal says. A release meanwhile ends it. */
  async hog(): Promise<void> {
    const { report, faults, signal } = this.#options;
    this.#isHogging = true;
    while (this.#isHogging && !signal.aborted) {
      try {
        touchPages((await this.#held.demand(hogBytes)).view(), 1);
      } catch (error) {
        this.#isHogging = false;
        if (signal.aborted) return;
        report('error', { ...faultFigures(faults.count(error)), heldBytes: this.heldBytes });
      }
    }
  }

  leak(bytesPerSecond: number): void {
    this.#leakRate = bytesPerSecond;
  }

  /** One turn of the leak, to be called at a steady pace. */
  async drip(intervalMs: number): Promise<void> {
    this.#leakDebt += (this.#leakRate * intervalMs) / 1000;
    const bytes = Math.floor(this.#leakDebt);
    if (bytes < 1) return;
    this.#leakDebt -= bytes;
    const block = await this.#leaked.add(bytes);
    if (block !== null) touchPages(block.view(), 1);
  }

  /** When the agent asks: what is held, not what was leaked. Answers the bytes that the agent has back. */
  async giveBack(): Promise<number> {
    this.#isHogging = false;
    return this.#trimAfter(this.#held.freeAll());
  }

  /** When the operator asks: everything, and the leak stops. */
  async release(): Promise<number> {
    this.#isHogging = false;
    this.#leakRate = 0;
    this.#leakDebt = 0;
    return this.#trimAfter(this.#held.freeAll() + this.#leaked.freeAll());
  }

  async #trimAfter(freedBytes: number): Promise<number> {
    const releasedBytes = await this.#options.pool.trim();
    this.#options.report('released', { freedBytes, releasedBytes });
    return releasedBytes;
  }
}
