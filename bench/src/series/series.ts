/** Utilisation series as the benchmarks read them: a CSV with the columns value, timestamp_anon and container_ip. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Series {
  readonly id: string;
  /** Ascending. */
  readonly atMs: readonly number[];
  /** Shares of the container's own limit, 0 to 1. */
  readonly demand: readonly number[];
}

export type Part = 'tuning' | 'holdout';

export class DataError extends Error {
  override readonly name = 'DataError';
}

const columns = ['value', 'timestamp_anon', 'container_ip'] as const;
const mostBytes = 2 ** 31;
/** The recorder was off by up to this around an empty or a full container; anything more is no share. */
const noise = 0.001;

export function readSeries(file: string): Series[] {
  return parseSeries(file.endsWith('.xz') ? unpack(file) : read(file).toString('utf8'), file);
}

export function parseSeries(text: string, file: string): Series[] {
  const [head = '', ...lines] = text.split(/\r?\n/);
  const names = head.split(',');
  const [value, at, id] = columns.map((column) => names.indexOf(column));
  if (value === undefined || at === undefined || id === undefined || Math.min(value, at, id) < 0) {
    throw new DataError(
      `${file}: its first line is "${head.slice(0, 80)}"; the columns ${columns.join(', ')} are needed`,
    );
  }
  const points = new Map<string, { atMs: number; demand: number }[]>();
  for (const [index, line] of lines.entries()) {
    if (line === '') continue;
    const cells = line.split(',');
    const demand = numberOf(cells[value]);
    const seconds = numberOf(cells[at]);
    const name = cells[id] ?? '';
    if (!(demand >= -noise && demand <= 1 + noise) || !Number.isFinite(seconds) || name === '') {
      throw new DataError(
        `${file}, line ${index + 2}: "${line.slice(0, 80)}" is no share of 0 to 1, time in seconds and name`,
      );
    }
    const known = points.get(name);
    const point = { atMs: seconds * 1000, demand: Math.min(1, Math.max(0, demand)) };
    if (known === undefined) points.set(name, [point]);
    else known.push(point);
  }
  if (points.size === 0) throw new DataError(`${file}: it has no rows`);
  return [...points].map(([name, list]) => {
    const sorted = list.sort((a, b) => a.atMs - b.atMs);
    return { id: name, atMs: sorted.map((point) => point.atMs), demand: sorted.map((point) => point.demand) };
  });
}

/** By the name alone (FNV-1a, even or odd), so that a series stays on its side whatever else is in the file. */
export function partOf(id: string): Part {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(id)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash % 2 === 0 ? 'tuning' : 'holdout';
}

/** Number('') is 0, and an empty cell is not. */
const numberOf = (cell: string | undefined) =>
  cell === undefined || cell.trim() === '' ? Number.NaN : Number(cell);

function unpack(file: string): string {
  const { error, status, stdout, stderr } = spawnSync('xz', ['--decompress', '--stdout'], {
    input: read(file),
    maxBuffer: mostBytes,
  });
  if (error !== undefined && 'code' in error && error.code === 'ENOENT') {
    throw new DataError(
      `${file}: xz is needed to unpack it. Type: sudo apt-get install xz-utils (Debian, Ubuntu), or brew install xz (macOS)`,
    );
  }
  if (error !== undefined || status !== 0) {
    throw new DataError(`${file}: xz cannot unpack it: ${error?.message ?? stderr.toString().trim()}`);
  }
  return stdout.toString('utf8');
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new DataError(error instanceof Error ? error.message : String(error));
  }
}
