/**
 * Ends leases. A segment is unmapped before its lease ends, so a release that found nobody cannot be taken back: it is
 * kept and sent again when NATS or the agent is back.
 */
import type { BusLog } from '@nautilus/bus';
import { NautilusError } from '@nautilus/contracts';
import type { Control } from './control.ts';
import { isAway } from './patience.ts';

export class Releases {
  readonly #control: Control;
  readonly #log: BusLog;
  readonly #unmapped: (segment: string) => Promise<void>;
  readonly #pending = new Set<string>();

  /** `unmapped` tells the agent's socket that this process maps the segment no more: until then its bytes linger. */
  constructor(control: Control, log: BusLog, unmapped: (segment: string) => Promise<void>) {
    this.#control = control;
    this.#log = log;
    this.#unmapped = unmapped;
  }

  /** Bytes that the agent has back (those that readers still map are not); null when it will be tried again. */
  async release(segment: string): Promise<number | null> {
    this.#pending.add(segment);
    try {
      await this.#unmapped(segment);
      const { releasedBytes } = await this.#control.release(segment);
      this.#pending.delete(segment);
      return releasedBytes;
    } catch (error) {
      if (isAway(error)) {
        this.#log.warn({ segment, error }, 'client: a lease could not be released yet');
        return null;
      }
      this.#pending.delete(segment);
      if (isGone(error)) return 0;
      throw error;
    }
  }

  /** The same for a segment that is given up because something else failed: that error is the one to report. */
  async giveUp(segment: string): Promise<void> {
    try {
      await this.release(segment);
    } catch (error) {
      this.#log.error({ segment, error }, 'client: the agent refuses the release of a lease');
    }
  }

  /** Sends what found nobody before. */
  async retry(): Promise<void> {
    for (const segment of [...this.#pending]) await this.giveUp(segment);
  }
}

/** The lease had ended before: that is what was wanted. */
function isGone(error: unknown): boolean {
  return (
    error instanceof NautilusError && (error.code === 'unknown_segment' || error.code === 'already_released')
  );
}
