/**
 * How often a container starts over, beside what Docker says of it: its own back-off (100 ms, doubled up to a minute)
 * begins anew once a container lived ten seconds, so one that dies at eleven restarts at full speed for ever. Pure.
 */

const firstBackoffMs = 100;
const longestBackoffMs = 60_000;
const healthyLifeMs = 10_000;
/** Lives that are remembered; more restarts than this within any window are too many for every budget. */
const mostLives = 64;

interface Life {
  readonly startedAtMs: number;
  endedAtMs: number | null;
}

export class RestartHistory {
  #lives: Life[] = [];

  /** `startedAtMs`: what the engine says, not when it was heard of. */
  started(startedAtMs: number): void {
    const last = this.#lives.at(-1);
    if (last !== undefined && startedAtMs <= last.startedAtMs) return;
    if (last !== undefined) last.endedAtMs ??= startedAtMs;
    this.#lives.push({ startedAtMs, endedAtMs: null });
    if (this.#lives.length > mostLives) this.#lives = this.#lives.slice(-mostLives);
  }

  ended(endedAtMs: number): void {
    const last = this.#lives.at(-1);
    if (last !== undefined && endedAtMs >= last.startedAtMs) last.endedAtMs ??= endedAtMs;
  }

  /** Starts after the first that was seen. */
  restartsSince(sinceMs: number): number {
    return this.#lives.slice(1).filter(({ startedAtMs }) => startedAtMs >= sinceMs).length;
  }

  get lastLifeMs(): number | null {
    const life = this.#lives.findLast(({ endedAtMs }) => endedAtMs !== null);
    return life === undefined || life.endedAtMs === null ? null : life.endedAtMs - life.startedAtMs;
  }

  /** What Docker will wait before it starts the container again by its policy, should it end at that time. */
  nextBackoffMs(endedAtMs: number): number {
    let backoffMs = 0;
    for (const life of this.#lives) {
      const livedMs = (life.endedAtMs ?? endedAtMs) - life.startedAtMs;
      backoffMs =
        backoffMs === 0 || livedMs >= healthyLifeMs
          ? firstBackoffMs
          : Math.min(longestBackoffMs, backoffMs * 2);
    }
    return backoffMs === 0 ? firstBackoffMs : backoffMs;
  }
}
