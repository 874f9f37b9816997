// Sleeping without a lost wake-up. The sleeper makes its word odd, looks once more, and only then sleeps; its waker
// makes the thing true first and looks at the word then. Both accesses are sequentially consistent, so one of the two
// sees the other. Every change is a new number: the waker signals once for each.

import { NativeError } from '../errors.ts';
import { loadAcquire } from './ordering.ts';
import type { Wake } from './wake.ts';

// Longer delays are not possible with timers, and become 1 ms.
const longestTimerMs = 2 ** 31 - 1;

export interface SleepOptions {
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Also look this often, for what nobody signals. */
  readonly lookEveryMs?: number | undefined;
}

export class Sleeper {
  readonly #words: Int32Array;
  readonly #at: number;
  readonly #wake: Wake | null;
  #value: number;
  #look: (() => void) | null = null;

  constructor(words: Int32Array, at: number, wake: Wake | null) {
    this.#words = words;
    this.#at = at;
    this.#wake = wake;
    this.#value = words[at] ?? 0;
    wake?.onSignal(() => this.#look?.());
  }

  /** Looks again, because something changed in this process. */
  stir(): void {
    this.#look?.();
  }

  /** True once `isReady` is, false when the time is up or the signal aborted. One at a time. */
  until(isReady: () => boolean, options: SleepOptions = {}): Promise<boolean> {
    const { timeoutMs, signal, lookEveryMs } = options;
    if (this.#look !== null)
      throw new NativeError('invalid_argument', 'wait: one is under way already; await it first');
    if (isReady()) return Promise.resolve(true);
    if (signal?.aborted === true || (timeoutMs !== undefined && timeoutMs <= 0))
      return Promise.resolve(false);
    this.#turn();
    if (isReady()) {
      this.#turn();
      return Promise.resolve(true);
    }
    return new Promise((resolve, reject) => {
      const end = () => {
        this.#look = null;
        this.#turn();
        clearTimeout(timer);
        clearInterval(looks);
        signal?.removeEventListener('abort', giveUp);
        this.#wake?.unref();
      };
      const giveUp = () => {
        end();
        resolve(false);
      };
      this.#look = () => {
        try {
          if (!isReady()) {
            // Another number, for which a waker signals again.
            this.#turn();
            this.#turn();
            if (!isReady()) return;
          }
        } catch (error) {
          end();
          reject(error);
          return;
        }
        end();
        resolve(true);
      };
      const timer =
        timeoutMs === undefined ? undefined : setTimeout(giveUp, Math.min(timeoutMs, longestTimerMs));
      const looks = lookEveryMs === undefined ? undefined : setInterval(() => this.#look?.(), lookEveryMs);
      signal?.addEventListener('abort', giveUp);
      this.#wake?.ref();
    });
  }

  #turn(): void {
    this.#value = (this.#value + 1) | 0;
    Atomics.store(this.#words, this.#at, this.#value);
  }
}

/** The other side: whom to wake when its word is odd. What is in the word may be anything. */
export class Waker {
  private readonly words: Int32Array;
  private readonly at: number;
  private readonly signal: () => void;
  private wokenFor = 0;

  constructor(words: Int32Array, at: number, signal: () => void) {
    this.words = words;
    this.at = at;
    this.signal = signal;
  }

  /** To be called after what the sleeper waits for was made true, by an Atomics.store: that is seen before this look. */
  wakeIfAsleep(): void {
    const value = loadAcquire(this.words, this.at);
    if ((value & 1) !== 0 && value !== this.wokenFor) {
      this.wokenFor = value;
      this.signal();
    }
  }
}
