/** Rows survive the way through the bytes. */
import { expect, it } from 'vitest';
import { recordsOf } from '../testing/records.ts';
import { readTrace } from '../traces/read-trace.ts';
import { rowBytes, summarizeRows, writeRows } from './order-book.ts';

const trace = readTrace('t', recordsOf([0, 0, 99], [0, 1, 199], [1, 0, 0]));

it('fills whole rows, wrapping at the end of the trace', () => {
  const payload = new Uint8Array(rowBytes * 4 + 5);
  expect(writeRows(payload, trace, 2)).toBe(rowBytes * 4);
  const view = new DataView(payload.buffer);
  expect([0, 1, 2, 3].map((row) => view.getUint32(row * rowBytes + 20, true))).toEqual([1, 0, 0, 1]);
});

it('summarizes in place', () => {
  const payload = new Uint8Array(rowBytes * 2);
  writeRows(payload, trace, 0);
  const summary = summarizeRows(payload);
  expect(summary).toMatchObject({ rows: 2, quantity: 300 });
  expect(summary.averagePrice).toBeCloseTo((100 * 100 + 99.99 * 200) / 300);
});

it('of no rows says nothing', () => {
  expect(summarizeRows(new Uint8Array(0))).toEqual({ rows: 0, quantity: 0, averagePrice: 0 });
});
