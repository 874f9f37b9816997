/** The loop behind `Clock.every`: a fixed grid of time, one run in flight, missed points skipped. */

import type { EveryOptions, Ticker } from './clock.ts';
import type { TimeSource } from './clock-from.ts';

export class TickLoop implements Ticker {
  readonly #source: TimeSource;
  readonly #intervalMs: number;
  readonly #tick: () => Promise<void> | void;
  readonly #options: EveryOptions;
  readonly #onAbort = (): void => this.#end();
  /** Next point of the grid, on the monotonic scale. */
  #dueAt: number;
  #takeBack: (() => void) | null = null;
  #inFlight: Promise<void> | null = null;
  #isRequested = false;
  #isStopped = false;

  constructor(
    source: TimeSource,
    intervalMs: number,
    tick: () => Promise<void> | void,
    options: EveryOptions,
  ) {
    if (!(intervalMs > 0)) throw new RangeError(`interval must be positive, found ${intervalMs} ms`);
    this.#source = source;
    this.#intervalMs = intervalMs;
    this.#tick = tick;
    this.#options = options;
    this.#dueAt = source.monotonic() + intervalMs;
    if (options.signal?.aborted === true) this.#isStopped = true;
    else {
      options.signal?.addEventListener('abort', this.#onAbort, { once: true });
      this.#schedule();
    }
  }

  trigger(): void {
    if (this.#isStopped) return;
    if (this.#inFlight !== null) {
      this.#isRequested = true;
      return;
    }
    this.#takeBack?.();
    this.#run();
  }

  async stop(): Promise<void> {
    this.#end();
    await this.#inFlight;
  }

  #end(): void {
    this.#isStopped = true;
    this.#takeBack?.();
    this.#takeBack = null;
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
  }

  #schedule(): void {
    const now = this.#source.monotonic();
    if (this.#dueAt <= now) {
      this.#dueAt += (Math.floor((now - this.#dueAt) / this.#intervalMs) + 1) * this.#intervalMs;
    }
    this.#takeBack = this.#source.after(this.#dueAt - now, () => {
      // Moved on before the run: a timer that fires a fraction early must not hit the same point twice.
      this.#dueAt += this.#intervalMs;
      this.#run();
    });
  }

  #run(): void {
    this.#takeBack = null;
    this.#inFlight = this.#attempt().then(() => {
      this.#inFlight = null;
      if (this.#isStopped) return;
      if (this.#isRequested) {
        this.#isRequested = false;
        this.#run();
      } else this.#schedule();
    });
  }

  async #attempt(): Promise<void> {
    try {
      await this.#tick();
    } catch (error) {
      this.#options.onError(error);
    }
  }
}
