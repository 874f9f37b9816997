/** A segment that another container owns and granted: its bytes, in place and read-only, until the grant ends. */
import type { BusLog } from '@nautilus/bus';
import { alreadyClosed } from './faults.ts';
import type { ReadMapping } from './read-mapping.ts';
import type { ReadonlyBytes } from './read-only-bytes.ts';

export interface GrantedSegmentOptions {
  /** Stay mapped after the grant has ended, until `close()`. */
  readonly keepAfterEnd: boolean;
  readonly log: BusLog;
  /** This was closed; resolves when the agent knows. */
  close(segment: GrantedSegment): Promise<void>;
}

export class GrantedSegment implements AsyncDisposable {
  readonly segment: string;
  /** The container that writes it. */
  readonly owner: string;
  readonly bytes: number;
  /** Always shared in place, never a copy. */
  readonly copied = false;
  readonly #mapping: ReadMapping;
  readonly #options: GrantedSegmentOptions;
  readonly #onEnd = new Set<(reason: string) => void>();
  #endReason: string | null = null;
  #closing: Promise<void> | null = null;

  /** Made by `client.open()`. */
  constructor(mapping: ReadMapping, options: GrantedSegmentOptions) {
    this.segment = mapping.segment;
    this.owner = mapping.owner;
    this.bytes = mapping.bytes;
    this.#mapping = mapping;
    this.#options = options;
    mapping.attach(this);
  }

  /** The grant was taken back, or the owner's lease is over: nobody vouches for the bytes any more. */
  get ended(): boolean {
    return this.#endReason !== null;
  }

  get closed(): boolean {
    return this.#closing !== null;
  }

  /**
   * The owner's bytes, live, until this is closed; then the view is empty. A write, which the type does not allow,
   * ends the process with a line on stderr.
   */
  view(offset: number, length: number): ReadonlyBytes {
    if (this.closed) throw alreadyClosed(`segment ${this.segment}`);
    return this.#mapping.view(offset, length);
  }

  /** Calls back when the grant ends, before the memory is unmapped; soon, when it has ended already. */
  onEnd(callback: (reason: string) => void): () => void {
    const reason = this.#endReason;
    if (reason !== null) queueMicrotask(() => this.#tell(callback, reason));
    else this.#onEnd.add(callback);
    return () => this.#onEnd.delete(callback);
  }

  /** For the client: the agent says it is over. */
  end(reason: string): void {
    if (this.#endReason !== null || this.closed) return;
    this.#endReason = reason;
    for (const callback of this.#onEnd) this.#tell(callback, reason);
    this.#onEnd.clear();
    if (this.#options.keepAfterEnd) return;
    this.close().catch((error: unknown) =>
      this.#options.log.error({ segment: this.segment, error }, 'client: a segment could not be unmapped'),
    );
  }

  /** Unmaps, unless another opener still reads, and tells the agent. Twice is the same as once. */
  close(): Promise<void> {
    this.#closing ??= this.#options.close(this);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #tell(callback: (reason: string) => void, reason: string): void {
    try {
      callback(reason);
    } catch (error) {
      this.#options.log.error({ segment: this.segment, error }, 'client: an onEnd callback failed');
    }
  }
}
