/**
 * What a host was like, second by second, for the last 24 hours: files of a quarter of an hour, appended row by row, so
 * that a crash loses no more than the row it interrupts. A file is never changed once a new one has begun.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type NamedRow, readRows } from './file-reader.ts';
import { HistoryFileWriter } from './file-writer.ts';
import { fileMagic } from './record.ts';

export interface HistoryOptions {
  /** Of this host alone; made when it is not there. */
  readonly directory: string;
  readonly keepMs: number;
  /** The oldest files go when all together are larger. */
  readonly mostBytes: number;
  readonly fileMs: number;
  /** Unix milliseconds, of this machine: what is old is not for a sender of rows to say. */
  readonly now: () => number;
  readonly onTrouble: (text: string, error?: unknown) => void;
}

interface StoredFile {
  readonly path: string;
  readonly number: number;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly bytes: number;
}

/** So that the one that is being written is a small part of what is kept. */
const filesInMost = 16;
const retryMs = 5_000;

export class History {
  readonly #options: HistoryOptions;
  readonly #files: StoredFile[] = [];
  #writer: HistoryFileWriter | null = null;
  #number = 0;
  #failedAt = Number.NEGATIVE_INFINITY;

  /** Finds what earlier runs wrote. Throws what the file system says when the directory cannot be used. */
  constructor(options: HistoryOptions) {
    this.#options = options;
    mkdirSync(options.directory, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(options.directory).sort()) {
      const number = Number(/^(\d{8,})\.rows$/.exec(name)?.[1] ?? Number.NaN);
      if (!Number.isNaN(number)) this.#find(join(options.directory, name), number);
    }
  }

  get bytes(): number {
    return this.#files.reduce((sum, file) => sum + file.bytes, this.#writer?.bytes ?? 0);
  }

  /** Never throws: a full disk must not stop whoever measures. False: the row is lost, and the reason was told. */
  append(at: number, series: ReadonlyMap<string, number>): boolean {
    const now = this.#options.now();
    if (at > now + this.#options.fileMs) {
      this.#options.onTrouble(
        `a row of history is lost: its clock is ${Math.round((at - now) / 1000)} s ahead`,
      );
      return false;
    }
    // A disk that was full is tried again now and then, and not with every row.
    if (this.#writer === null && Math.abs(now - this.#failedAt) < retryMs) return false;
    try {
      const writer = this.#writerFor(at);
      writer.append(at, series);
      return true;
    } catch (error) {
      this.#options.onTrouble('a row of history is lost', error);
      // The next row begins a file of its own: behind a torn one nothing can be read.
      this.#failedAt = now;
      this.#end();
      return false;
    }
  }

  /** Rows from `from` to `to`, both included, in the order of their writing; between two files others may run. */
  async read(from: number, to: number, visit: (row: NamedRow) => void): Promise<void> {
    const current = this.#writer;
    const paths = this.#files
      .filter((file) => file.firstAt <= to && file.lastAt >= from)
      .map(({ path }) => path);
    if (current !== null && current.firstAt <= to && current.lastAt >= from) paths.push(current.path);
    for (const path of paths) {
      const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
        // It grew too old while the ones before it were read.
        if (error.code === 'ENOENT') return null;
        throw error;
      });
      if (bytes !== null) readRows(bytes, (row) => row.at >= from && row.at <= to && visit(row));
    }
  }

  close(): void {
    this.#end();
  }

  #find(path: string, number: number): void {
    this.#number = Math.max(this.#number, number + 1);
    const bytes = readFileSync(path);
    const { rows, firstAt, lastAt, wholeBytes } = readRows(bytes, () => undefined);
    if (rows === 0) {
      // A file that was begun and got no row; anything else may be of a newer version, and is not ours to remove.
      if (fileMagic.subarray(0, bytes.length).equals(bytes.subarray(0, fileMagic.length)) || wholeBytes > 0)
        rmSync(path);
      else this.#options.onTrouble(`${path} is no history of this version and is left alone`);
      return;
    }
    if (wholeBytes < bytes.length) {
      this.#options.onTrouble(
        `${bytes.length - wholeBytes} bytes at the end of ${path} were torn and are cut off`,
      );
      truncateSync(path, wholeBytes);
    }
    this.#files.push({ path, number, firstAt, lastAt, bytes: wholeBytes });
  }

  #writerFor(at: number): HistoryFileWriter {
    const writer = this.#writer;
    if (writer !== null && (writer.rows === 0 || this.#continues(writer, at))) return writer;
    this.#end();
    this.#forget();
    const path = join(this.#options.directory, `${String(this.#number).padStart(8, '0')}.rows`);
    this.#number += 1;
    this.#writer = new HistoryFileWriter(path, (error) =>
      this.#options.onTrouble('history is not on the disk yet', error),
    );
    return this.#writer;
  }

  /** A file is short in time, also by a clock that was set back, and in bytes, also for one that stands still. */
  #continues(writer: HistoryFileWriter, at: number): boolean {
    const { fileMs, mostBytes } = this.#options;
    return Math.abs(at - writer.firstAt) < fileMs && writer.bytes < mostBytes / filesInMost;
  }

  #end(): void {
    const writer = this.#writer;
    if (writer === null) return;
    this.#writer = null;
    writer.close();
    const { path, firstAt, lastAt, bytes } = writer;
    if (writer.rows > 0) this.#files.push({ path, number: this.#number - 1, firstAt, lastAt, bytes });
    else rmSync(path, { force: true });
  }

  #forget(): void {
    const { keepMs, mostBytes, now } = this.#options;
    const oldest = now() - keepMs;
    let bytes = this.bytes;
    for (const file of [...this.#files]) {
      if (file.lastAt >= oldest && bytes <= mostBytes) continue;
      rmSync(file.path, { force: true });
      bytes -= file.bytes;
      this.#files.splice(this.#files.indexOf(file), 1);
    }
  }
}
