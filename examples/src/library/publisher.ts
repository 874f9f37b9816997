/**
 * Keeps a ring of frames alive: made at start, made anew when its lease is lost, granted to every reader. A reader that
 * cannot be let in yet is tried again, and the others do not wait for it.
 */
import type { FaultLog } from './fault-log.ts';
import { type FrameRing, makeFrameRing } from './frame-ring.ts';
import type { MemoryPool, Platform } from './platform.ts';
import type { Report } from './report.ts';

export interface PublisherOptions {
  readonly client: Platform;
  /** Holds the ring when there is no pool for frames. */
  readonly fallback: MemoryPool;
  readonly readers: readonly string[];
  readonly report: Report;
  readonly faults: FaultLog;
  readonly signal: AbortSignal;
}

export class Publisher {
  readonly #options: PublisherOptions;
  #ring: FrameRing | null = null;
  #waiting: string[] = [];
  #published = 0;

  constructor(options: PublisherOptions) {
    this.#options = options;
    options.client.onLost(({ segment }) => this.#lose(segment));
  }

  /** Over all rings. */
  get framesPublished(): number {
    return this.#published;
  }

  /** Bytes of the ring; 0 while there is none. */
  get liveBytes(): number {
    return this.#ring?.block.length ?? 0;
  }

  /** Makes what is missing; to be called again and again. */
  async maintain(): Promise<void> {
    const ring = this.#ring ?? (await this.#make());
    if (ring === null) return;
    for (const reader of [...this.#waiting]) await this.#admit(ring, reader);
  }

  /** Publishes one frame; without a ring nothing happens. */
  publish(fill: (payload: Uint8Array) => number): void {
    if (this.#ring === null) return;
    this.#ring.writer.publish(fill, performance.timeOrigin + performance.now());
    this.#published += 1;
  }

  async #make(): Promise<FrameRing | null> {
    const { client, fallback, signal, readers, report } = this.#options;
    try {
      const ring = await makeFrameRing(client, fallback, signal);
      this.#ring = ring;
      this.#waiting = [...readers];
      report('ready', { segment: ring.block.segment, ringBytes: ring.block.length });
      return ring;
    } catch (error) {
      this.#fail(error);
      return null;
    }
  }

  async #admit(ring: FrameRing, reader: string): Promise<void> {
    try {
      await ring.pool.grant(ring.block.segment, reader, { signal: this.#options.signal });
      this.#waiting = this.#waiting.filter((name) => name !== reader);
    } catch (error) {
      this.#fail(error);
    }
  }

  #lose(segment: string): void {
    const ring = this.#ring;
    if (ring?.block.segment !== segment) return;
    this.#ring = null;
    ring.block.free();
    this.#options.report('error', { code: 'lease_lost', segment, message: `the lease of ${segment} ended` });
  }

  #fail(error: unknown): void {
    if (!this.#options.signal.aborted) this.#options.faults.note(error);
  }
}
