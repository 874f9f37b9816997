/** One piece of work that many callers wait for: each may leave, and when the last one has left it is given up. */
import { abortable, sharedController } from './cancellation.ts';

export class SharedTask<T> {
  readonly #controller = sharedController();
  readonly #outcome: Promise<T>;
  readonly #discard: (value: T) => void;
  #waiting = 0;
  #isSettled = false;
  /** A value that nobody has taken yet. */
  #untaken: { readonly value: T } | null = null;

  /** `discard` takes a value that nobody waited for to the end. */
  constructor(work: (signal: AbortSignal) => Promise<T>, discard: (value: T) => void = () => undefined) {
    this.#discard = discard;
    this.#outcome = this.#run(work);
    // Joiners get the failure; without any it belongs to nobody, and must not end the process.
    this.#outcome.catch(() => undefined);
  }

  /** True when it makes no sense to join: it was given up, or it has its outcome. */
  get isOver(): boolean {
    return this.#isSettled || this.#controller.signal.aborted;
  }

  async join(doing: string, signal?: AbortSignal): Promise<T> {
    this.#waiting += 1;
    try {
      const outcome = abortable(this.#outcome, doing, this.#controller.signal);
      const value = await abortable(outcome, doing, signal);
      this.#untaken = null;
      return value;
    } finally {
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#leaveAlone();
    }
  }

  /** Gives the work up for everybody; resolves when it has cleaned up behind itself. */
  async abort(reason: unknown): Promise<void> {
    if (!this.#isSettled) this.#controller.abort(reason);
    await Promise.allSettled([this.#outcome]);
  }

  async #run(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      const value = await work(this.#controller.signal);
      this.#untaken = { value };
      return value;
    } finally {
      this.#isSettled = true;
      if (this.#waiting === 0) this.#leaveAlone();
    }
  }

  #leaveAlone(): void {
    if (!this.#isSettled) this.#controller.abort();
    const untaken = this.#untaken;
    this.#untaken = null;
    if (untaken !== null) this.#discard(untaken.value);
  }
}
