/**
 * Follows the frames that another container publishes, in place. It asks only to find the segment; from then on the
 * sequence moves in the mapping while no message is sent, which is what `verified` proves: it is written for a frame
 * that was published after the segment had been opened.
 */
import { FaultLog } from './fault-log.ts';
import { FrameRingError } from './frame-layout.ts';
import { FrameReader } from './frame-reader.ts';
import { type BookSummary, summarizeRows } from './order-book.ts';
import type { Platform, SharedMemory } from './platform.ts';
import type { Report } from './report.ts';
import { every, pause } from './ticker.ts';

const searchMs = 1000;
const pollMs = 10;

export interface FrameFeedOptions {
  readonly client: Platform;
  /** The container that publishes. */
  readonly owner: string;
  readonly signal: AbortSignal;
  readonly report: Report;
  /** What a verified frame said. */
  onBook(summary: BookSummary): void;
}

export class FrameFeed {
  readonly #options: FrameFeedOptions;
  /** Of finding and opening; allocations fail elsewhere. */
  readonly #faults: FaultLog;
  /** Granted segments that hold no ring; nobody turns one into a ring later. */
  readonly #others = new Set<string>();
  #verified = 0;
  #torn = 0;
  #missed = 0;
  #checksumErrors = 0;

  constructor(options: FrameFeedOptions) {
    this.#options = options;
    this.#faults = new FaultLog(options.report);
  }

  /** Missed: overwritten before this reader came. Torn: while it looked. */
  figures() {
    return {
      framesVerified: this.#verified,
      framesTorn: this.#torn,
      framesMissed: this.#missed,
      checksumErrors: this.#checksumErrors,
      searchFailures: this.#faults.total,
    };
  }

  /** Until the signal is aborted, from one ring to the next. */
  async run(): Promise<void> {
    const { signal } = this.#options;
    while (!signal.aborted) {
      const shared = await this.#find();
      if (shared === null) {
        await pause(searchMs, signal);
        continue;
      }
      try {
        await this.#follow(shared);
      } finally {
        await shared.close();
      }
    }
  }

  async #find(): Promise<SharedMemory | null> {
    const { client, owner, signal } = this.#options;
    try {
      const { segments } = await client.describe({ signal });
      const granted = segments
        .filter(({ access, state }) => access === 'read-only' && (state === 'leased' || state === 'mapped'))
        .filter((candidate) => candidate.owner === owner && !this.#others.has(candidate.segment))
        .sort((one, other) => other.leasedAt - one.leasedAt)[0];
      return granted === undefined ? null : await client.open(granted.segment, { signal });
    } catch (error) {
      // Also a segment that ended between the answer and the opening.
      if (!signal.aborted) this.#faults.note(error);
      return null;
    }
  }

  async #follow(shared: SharedMemory): Promise<void> {
    const { report, signal } = this.#options;
    const reader = this.#readerOf(shared);
    if (reader === null) return;
    const ended = new AbortController();
    const forget = shared.onEnd((reason) => {
      report('ended', { segment: shared.segment, reason });
      ended.abort();
    });
    const atOpen = reader.published;
    let next = atOpen + 1;
    let isProven = false;
    // Once the grant has ended the view becomes empty: no turn begins after that.
    await every(pollMs, AbortSignal.any([signal, ended.signal]), () => {
      const verifiedBefore = this.#verified;
      next = this.#readFrom(reader, next);
      if (isProven || this.#verified === verifiedBefore) return;
      isProven = true;
      this.#prove(shared, atOpen, next - 1);
    });
    forget();
  }

  #readerOf(shared: SharedMemory): FrameReader | null {
    try {
      return new FrameReader(shared.view(0, shared.bytes));
    } catch (error) {
      if (!(error instanceof FrameRingError)) throw error;
      this.#others.add(shared.segment);
      this.#options.report('error', { code: 'no_ring', segment: shared.segment, message: error.message });
      return null;
    }
  }

  /** Everything that is published now. Answers the next sequence. */
  #readFrom(reader: FrameReader, from: number): number {
    const { oldest, published } = reader;
    let sequence = from;
    if (sequence < oldest) {
      this.#missed += oldest - sequence;
      sequence = oldest;
    }
    for (; sequence <= published; sequence += 1) this.#readOne(reader, sequence);
    return sequence;
  }

  #readOne(reader: FrameReader, sequence: number): void {
    const outcome = reader.read(sequence);
    if (outcome.kind === 'corrupt') {
      this.#checksumErrors += 1;
      const { expected, found } = outcome;
      const message = `frame ${sequence}: checksum ${found}, expected ${expected}`;
      if (this.#checksumErrors === 1) this.#options.report('error', { code: 'checksum', message });
      return;
    }
    if (outcome.kind === 'torn') {
      this.#torn += 1;
      return;
    }
    const summary = summarizeRows(outcome.frame.payload);
    // The writer did not wait while the rows were read.
    if (!reader.holds(sequence)) {
      this.#torn += 1;
      return;
    }
    this.#verified += 1;
    this.#options.onBook(summary);
  }

  #prove(shared: SharedMemory, sequenceAtOpen: number, sequence: number): void {
    const { client, report } = this.#options;
    const { segment, owner, bytes, copied } = shared;
    const { bytesCopied } = client.stats();
    report('verified', { segment, owner, bytes, copied, bytesCopied, sequenceAtOpen, sequence });
  }
}
