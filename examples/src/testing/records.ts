/** Trace files made by hand, for tests. */

export type TestRecord = readonly [op: number, id: number, size: number];

export function recordsOf(...records: readonly TestRecord[]): Uint8Array {
  const bytes = new Uint8Array(records.length * 16);
  const view = new DataView(bytes.buffer);
  records.forEach(([op, id, size], index) => {
    view.setUint32(index * 16, op, true);
    view.setUint32(index * 16 + 4, id, true);
    view.setBigUint64(index * 16 + 8, BigInt(size), true);
  });
  return bytes;
}
