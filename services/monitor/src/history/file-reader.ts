/** Reads a file of history back: its rows in the order of their writing, with the names of their series. */

import { recordKinds, recordsOf } from './record.ts';
import { RowDecoder } from './row-codec.ts';
import { DamagedBytes } from './varint.ts';

export interface NamedRow {
  readonly at: number;
  /** By number of the series; NaN where it was not measured. The reader's own: they change with the next row. */
  readonly values: readonly number[];
  readonly names: readonly string[];
}

export interface FileExtent {
  readonly rows: number;
  readonly firstAt: number;
  readonly lastAt: number;
  /** Where the last whole record ends; 0 when the file is none of ours. */
  readonly wholeBytes: number;
}

/** Calls `visit` for each whole row. A row that its checksum vouches for and that makes no sense ends the file. */
export function readRows(bytes: Buffer, visit: (row: NamedRow) => void): FileExtent {
  const decoder = new RowDecoder();
  const names: string[] = [];
  const extent = { rows: 0, firstAt: Number.POSITIVE_INFINITY, lastAt: Number.NEGATIVE_INFINITY };
  const records = recordsOf(bytes);
  for (let next = records.next(); ; next = records.next()) {
    if (next.done) return { ...extent, wholeBytes: next.value };
    const { kind, payload } = next.value;
    try {
      if (kind === recordKinds.names) names.push(...namesIn(payload));
      if (kind !== recordKinds.row) continue;
      const { at, values } = decoder.decode(payload);
      extent.rows += 1;
      extent.firstAt = Math.min(extent.firstAt, at);
      extent.lastAt = Math.max(extent.lastAt, at);
      visit({ at, values, names });
    } catch (error) {
      if (!(error instanceof DamagedBytes)) throw error;
      return { ...extent, wholeBytes: payload.byteOffset - bytes.byteOffset };
    }
  }
}

function namesIn(payload: Uint8Array): string[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(payload).toString('utf8'));
  } catch {
    throw new DamagedBytes('names are not JSON');
  }
  if (!Array.isArray(parsed) || parsed.some((name) => typeof name !== 'string'))
    throw new DamagedBytes('names are no list of names');
  return parsed as string[];
}
