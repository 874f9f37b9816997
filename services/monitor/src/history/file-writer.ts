/** Writes one file of history: a row is in the kernel's hands when `append` returns, and soon on the disk. */
import { closeSync, fdatasync, openSync, rmSync, writeSync } from 'node:fs';
import { encodeRecord, fileMagic, longestRecord, recordKinds } from './record.ts';
import { mostSeries, RowEncoder } from './row-codec.ts';

export class HistoryFileWriter {
  readonly path: string;
  bytes = 0;
  rows = 0;
  firstAt = Number.POSITIVE_INFINITY;
  lastAt = Number.NEGATIVE_INFINITY;
  readonly #descriptor: number;
  readonly #encoder = new RowEncoder();
  readonly #numbers = new Map<string, number>();
  readonly #onSyncFailure: (error: Error) => void;
  #isSyncing = false;
  #isClosed = false;

  /** The file must not exist yet. */
  constructor(path: string, onSyncFailure: (error: Error) => void) {
    this.path = path;
    this.#onSyncFailure = onSyncFailure;
    this.#descriptor = openSync(path, 'wx', 0o600);
    try {
      this.#write(fileMagic);
    } catch (error) {
      // A full disk refuses one file after the other: none of them may stay, open or empty.
      closeSync(this.#descriptor);
      rmSync(path, { force: true });
      throw error;
    }
  }

  append(at: number, series: ReadonlyMap<string, number>): void {
    const fresh = [...series.keys()].filter((name) => !this.#numbers.has(name));
    const names = Buffer.from(JSON.stringify(fresh));
    // What no reader takes is not written.
    if (this.#numbers.size + fresh.length > mostSeries || names.length >= longestRecord)
      throw new RangeError(
        `${this.#numbers.size + fresh.length} series are more than a file of history holds`,
      );
    for (const name of fresh) this.#numbers.set(name, this.#numbers.size);
    const values = new Array<number>(this.#numbers.size).fill(Number.NaN);
    for (const [name, value] of series) values[this.#numbers.get(name) as number] = value;
    const row = encodeRecord(recordKinds.row, this.#encoder.encode({ at, values }));
    // In one write, so that a kill leaves both or neither of them.
    if (fresh.length === 0) this.#write(row);
    else {
      this.#write(Buffer.concat([encodeRecord(recordKinds.names, names), row]));
    }
    this.rows += 1;
    this.firstAt = Math.min(this.firstAt, at);
    this.lastAt = Math.max(this.lastAt, at);
    this.#sync();
  }

  close(): void {
    this.#isClosed = true;
    if (!this.#isSyncing) closeSync(this.#descriptor);
  }

  #write(bytes: Buffer): void {
    let done = 0;
    while (done < bytes.length) done += writeSync(this.#descriptor, bytes, done);
    this.bytes += bytes.length;
  }

  /** Never two at once: a slow disk makes rows reach it in groups. */
  #sync(): void {
    if (this.#isSyncing) return;
    this.#isSyncing = true;
    fdatasync(this.#descriptor, (error) => {
      this.#isSyncing = false;
      if (this.#isClosed) closeSync(this.#descriptor);
      if (error !== null) this.#onSyncFailure(error);
    });
  }
}
