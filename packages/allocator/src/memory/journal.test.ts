import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeJournal, encodeEntry, Journal, type JournalEntry } from './journal.ts';

const entries: JournalEntry[] = [
  {
    op: 'lease',
    segment: 's-00000001',
    container: 'a',
    pool: 'p',
    bytes: 4096,
    mode: 'mapped',
    leasedAt: 1,
    ttlMs: 1000,
  },
  { op: 'mapped', segment: 's-00000001', device: 1, inode: 2, ledger: 3 },
  { op: 'grant', segment: 's-00000001', to: 'b' },
];

describe('Journal', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'nautilus-journal-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('gives back after a restart what was appended', () => {
    const first = Journal.open(directory);
    expect(first.entries).toEqual([]);
    expect(first.journal.append(...entries).ok).toBe(true);
    first.journal.close();
    const second = Journal.open(directory);
    expect(second.entries).toEqual(entries);
    expect(second.damage).toBeNull();
    second.journal.close();
  });

  it('drops a torn last line at every byte, keeps the rest and appends after it', () => {
    const whole = entries.map(encodeEntry).join('');
    const keep = entries.slice(0, 2).map(encodeEntry).join('').length;
    for (let cut = keep + 1; cut < whole.length; cut += 1) {
      writeFileSync(join(directory, 'journal'), whole.slice(0, cut));
      const { journal, entries: found, damage } = Journal.open(directory);
      expect(found).toEqual(entries.slice(0, 2));
      expect(damage).not.toBeNull();
      journal.append({ op: 'end', segment: 's-00000001' });
      journal.close();
      expect(decodeJournal(readFileSync(join(directory, 'journal'), 'utf8')).entries).toHaveLength(3);
    }
  });

  it('trusts nothing behind a line whose bytes were changed', () => {
    const lines = entries.map(encodeEntry);
    const second = lines[1] ?? '';
    writeFileSync(
      join(directory, 'journal'),
      [lines[0], second.replace('"inode":2', '"inode":3'), lines[2]].join(''),
    );
    const { journal, entries: found, damage } = Journal.open(directory);
    journal.close();
    expect(found).toEqual(entries.slice(0, 1));
    expect(damage).toBe('line 2 is torn or corrupt');
  });

  it('survives bytes that are no journal at all', () => {
    appendFileSync(join(directory, 'journal'), Buffer.from([0, 255, 10, 1, 2, 3]));
    const { journal, entries: found } = Journal.open(directory);
    journal.close();
    expect(found).toEqual([]);
  });

  it('replaces the history by the present', () => {
    const { journal } = Journal.open(directory);
    for (let turn = 0; turn < 100; turn += 1) journal.append(...entries);
    const long = journal.bytes;
    expect(journal.compact(entries).ok).toBe(true);
    expect(journal.bytes).toBeLessThan(long / 50);
    journal.append({ op: 'end', segment: 's-00000001' });
    journal.close();
    const again = Journal.open(directory);
    again.journal.close();
    expect(again.entries).toEqual([...entries, { op: 'end', segment: 's-00000001' }]);
  });
});
