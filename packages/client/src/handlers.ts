/** Callbacks of the user: called one by one, and one that throws does not keep the others from being called. */
import type { BusLog } from '@nautilus/bus';

export class Handlers<T> {
  readonly #name: string;
  readonly #log: BusLog;
  readonly #handlers = new Set<{ readonly handle: (value: T) => void }>();

  constructor(name: string, log: BusLog) {
    this.#name = name;
    this.#log = log;
  }

  /** Answers how to remove it. The same function twice is called twice. */
  add(handle: (value: T) => void): () => void {
    const entry = { handle };
    this.#handlers.add(entry);
    return () => {
      this.#handlers.delete(entry);
    };
  }

  emit(value: T): void {
    for (const { handle } of [...this.#handlers]) {
      try {
        handle(value);
      } catch (error) {
        this.#log.error({ error }, `client: an ${this.#name} handler failed`);
      }
    }
  }
}
