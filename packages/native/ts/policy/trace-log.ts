// Every allocation and free, in order, as the records that the replay tools read: little-endian u32 operation
// (0 allocate, 1 free), u32 id (dense, never used again), u64 bytes.

import { checkBytes } from '../check.ts';
import { NativeError } from '../errors.ts';
import { type Allocator, Policy } from './allocator.ts';

export const traceRecordBytes = 16;
const mostIds = 2 ** 32;

export interface TraceLogOptions {
  /** Takes whole records; the bytes are its own. What it throws is counted, kept in `failure`, and ends the log. */
  readonly sink: (records: Uint8Array) => void;
  /** Records that are collected before the sink is called. Default 4096. */
  readonly batch?: number;
}

export class TraceLog<Upstream extends Allocator> extends Policy<Upstream> {
  readonly #sink: (records: Uint8Array) => void;
  readonly #batch: number;
  readonly #ids = new Map<number, number>();
  #records: DataView;
  #filled = 0;
  #nextId = 0;
  #lost = 0;
  #failure: unknown = null;

  constructor(upstream: Upstream, { sink, batch = 4096 }: TraceLogOptions) {
    super(upstream);
    this.#sink = sink;
    this.#batch = checkBytes('batch', batch);
    this.#records = new DataView(new ArrayBuffer(batch * traceRecordBytes));
  }

  /** Records that no sink took; then the log is not complete, and `failure` says why. */
  get lost(): number {
    return this.#lost;
  }

  get failure(): unknown {
    return this.#failure;
  }

  override allocate(bytes: number, alignment?: number): number | null {
    const handle = super.allocate(bytes, alignment);
    if (handle === null) return null;
    const id = this.#nextId;
    if (id >= mostIds) {
      this.#failure ??= new NativeError(
        'too_large',
        'trace: 2^32 allocations are in it, the most it can name',
      );
    } else {
      this.#nextId += 1;
      this.#ids.set(handle, id);
    }
    this.#write(0, id, bytes);
    return handle;
  }

  override free(handle: number): void {
    super.free(handle);
    const id = this.#ids.get(handle);
    // Allocated before the log began.
    if (id === undefined) return;
    this.#ids.delete(handle);
    this.#write(1, id, 0);
  }

  /** Hands over what was collected. */
  flush(): void {
    if (this.#filled === 0) return;
    const count = this.#filled;
    const records = new Uint8Array(this.#records.buffer, 0, count * traceRecordBytes);
    this.#records = new DataView(new ArrayBuffer(this.#batch * traceRecordBytes));
    this.#filled = 0;
    try {
      this.#sink(records);
    } catch (error) {
      // An allocation must not fail because a disk is full.
      this.#failure ??= error;
      this.#lost += count;
    }
  }

  #write(operation: 0 | 1, id: number, bytes: number): void {
    if (this.#failure !== null) {
      this.#lost += 1;
      return;
    }
    const at = this.#filled * traceRecordBytes;
    this.#records.setUint32(at, operation, true);
    this.#records.setUint32(at + 4, id, true);
    this.#records.setUint32(at + 8, bytes % 2 ** 32, true);
    this.#records.setUint32(at + 12, Math.floor(bytes / 2 ** 32), true);
    this.#filled += 1;
    if (this.#filled === this.#batch) this.flush();
  }
}
