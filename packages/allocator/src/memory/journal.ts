/**
 * The manifest of the agent, written before it is acted on: one line a fact, each with its CRC-32, in the private
 * directory on tmpfs. It survives a killed agent; a torn last line is dropped; a full filesystem is an answer.
 */
import { closeSync, fsyncSync, ftruncateSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { fail, ok, type Result } from '@nautilus/contracts';
import { z } from 'zod';

const lease = z.object({
  op: z.literal('lease'),
  segment: z.string(),
  container: z.string(),
  pool: z.string(),
  bytes: z.number(),
  mode: z.enum(['mapped', 'kept']),
  leasedAt: z.number(),
  ttlMs: z.number(),
});
const entry = z.discriminatedUnion('op', [
  lease,
  z.object({
    op: z.literal('mapped'),
    segment: z.string(),
    device: z.number(),
    inode: z.number(),
    /** Inode of the ledger page that went with it. */
    ledger: z.number(),
  }),
  z.object({ op: z.literal('linger'), segment: z.string() }),
  z.object({ op: z.literal('sealed'), segment: z.string() }),
  z.object({ op: z.literal('end'), segment: z.string() }),
  z.object({ op: z.literal('grant'), segment: z.string(), to: z.string() }),
  z.object({ op: z.literal('revoke'), segment: z.string(), from: z.string() }),
  z.object({
    op: z.literal('block'),
    block: z.string(),
    segment: z.string(),
    offset: z.number(),
    length: z.number(),
  }),
  z.object({ op: z.literal('unblock'), block: z.string() }),
  z.object({ op: z.literal('blockCounter'), next: z.number() }),
  z.object({ op: z.literal('budget'), container: z.string(), bytes: z.number(), epoch: z.number() }),
]);
export type JournalEntry = z.infer<typeof entry>;

/** Rewritten when it has grown to this and to `compactFactor` times what is alive. */
const compactAtBytes = 4 * 1024 * 1024;
const compactFactor = 4;

export function encodeEntry(value: JournalEntry): string {
  const json = JSON.stringify(value);
  return `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`;
}

/** Every whole line up to the first that is torn or corrupt; what follows a bad line was never acted on safely. */
export function decodeJournal(text: string): {
  entries: JournalEntry[];
  validBytes: number;
  damage: string | null;
} {
  const entries: JournalEntry[] = [];
  let at = 0;
  while (at < text.length) {
    const end = text.indexOf('\n', at);
    const line = end === -1 ? text.slice(at) : text.slice(at, end);
    const json = line.slice(9);
    const whole = end !== -1 && crc32(json).toString(16).padStart(8, '0') === line.slice(0, 8);
    const parsed = whole ? entry.safeParse(JSON.parse(json)) : null;
    if (parsed === null || !parsed.success) {
      return {
        entries,
        validBytes: Buffer.byteLength(text.slice(0, at)),
        damage: `line ${entries.length + 1} is torn or corrupt`,
      };
    }
    entries.push(parsed.data);
    at = end + 1;
  }
  return { entries, validBytes: Buffer.byteLength(text), damage: null };
}

export class Journal {
  readonly #path: string;
  #fd: number;
  #bytes: number;
  #compactedBytes: number;

  private constructor(path: string, fd: number, bytes: number) {
    this.#path = path;
    this.#fd = fd;
    this.#bytes = bytes;
    this.#compactedBytes = bytes;
  }

  /** Opens or begins the journal of a directory and gives back what it says. */
  static open(directory: string): { journal: Journal; entries: JournalEntry[]; damage: string | null } {
    const path = join(directory, 'journal');
    const fd = openSync(path, 'a+', 0o600);
    const { entries, validBytes, damage } = decodeJournal(readFileSync(path, 'utf8'));
    if (damage !== null) ftruncateSync(fd, validBytes);
    return { journal: new Journal(path, fd, validBytes), entries, damage };
  }

  get bytes(): number {
    return this.#bytes;
  }

  get wantsCompaction(): boolean {
    return this.#bytes > compactAtBytes && this.#bytes > this.#compactedBytes * compactFactor;
  }

  /** All lines or none: on a full filesystem the part that got in is cut off again. */
  append(...values: readonly JournalEntry[]): Result<null> {
    const data = Buffer.from(values.map(encodeEntry).join(''));
    let written = 0;
    try {
      while (written < data.length) written += writeSync(this.#fd, data, written);
    } catch (error) {
      ftruncateSync(this.#fd, this.#bytes);
      const reason = error instanceof Error ? error.message : String(error);
      return fail(
        'storage_full',
        `the lease journal cannot be written (${reason}); free space in host.state_dir`,
        {
          journalBytes: this.#bytes,
        },
      );
    }
    this.#bytes += data.length;
    return ok(null);
  }

  /** Replaces the history by the present; the old file stays until the new one is whole. */
  compact(present: readonly JournalEntry[]): Result<null> {
    const temporary = `${this.#path}.new`;
    let fd: number | null = null;
    try {
      fd = openSync(temporary, 'w', 0o600);
      const data = Buffer.from(present.map(encodeEntry).join(''));
      let written = 0;
      while (written < data.length) written += writeSync(fd, data, written);
      fsyncSync(fd);
      closeSync(fd);
      fd = null;
      renameSync(temporary, this.#path);
      closeSync(this.#fd);
      this.#fd = openSync(this.#path, 'a+', 0o600);
      this.#bytes = data.length;
      this.#compactedBytes = data.length;
      return ok(null);
    } catch (error) {
      if (fd !== null) closeSync(fd);
      const reason = error instanceof Error ? error.message : String(error);
      return fail(
        'storage_full',
        `the lease journal cannot be compacted (${reason}); the long one stays in use`,
      );
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}
