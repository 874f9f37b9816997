/**
 * A file of history is records one after the other, each with its length and checksum: what a crash tore off at the
 * end is found by that and cut off, and everything before it is whole.
 */
import { crc32 } from 'node:zlib';

export const recordKinds = { names: 1, row: 2 } as const;
export type RecordKind = (typeof recordKinds)[keyof typeof recordKinds];

export interface Record {
  readonly kind: number;
  readonly payload: Uint8Array;
}

/** "NMHIST" and the version. */
export const fileMagic = Buffer.from('NMHIST01', 'latin1');

/** Length of kind and payload, then their CRC-32, both little-endian. */
const headerBytes = 8;
/** A row of all series that there may be is shorter. */
export const longestRecord = 2 ** 20;

export function encodeRecord(kind: RecordKind, payload: Uint8Array): Buffer {
  const record = Buffer.alloc(headerBytes + 1 + payload.length);
  record[headerBytes] = kind;
  record.set(payload, headerBytes + 1);
  record.writeUInt32LE(1 + payload.length, 0);
  record.writeUInt32LE(crc32(record.subarray(headerBytes)), 4);
  return record;
}

/** The whole records of a file's bytes, and where the last of them ends; 0 when the file is none of ours. */
export function* recordsOf(bytes: Buffer): Generator<Record, number> {
  if (!bytes.subarray(0, fileMagic.length).equals(fileMagic)) return 0;
  let at = fileMagic.length;
  while (at + headerBytes < bytes.length) {
    const length = bytes.readUInt32LE(at);
    const body = bytes.subarray(at + headerBytes, at + headerBytes + length);
    if (length < 1 || length > longestRecord || body.length < length) break;
    if (crc32(body) !== bytes.readUInt32LE(at + 4)) break;
    yield { kind: body[0] ?? 0, payload: body.subarray(1) };
    at += headerBytes + length;
  }
  return at;
}
