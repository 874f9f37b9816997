/**
 * The payload of a frame: rows of an order book. The rows are synthetic, made from the events of a recorded trace, so
 * that they differ from frame to frame and the same trace always makes the same market.
 *
 * Row:  0 f64 price · 8 f64 quantity · 16 u32 order · 20 u32 side (0 bid, 1 ask)
 */
import type { Trace } from '../traces/trace.ts';
import type { ReadonlyBytes } from './platform.ts';

export const rowBytes = 24;

const middlePrice = 100;
const tickSize = 0.01;
const ticks = 997;

/** Fills whole rows with the trace's events from `from` on, wrapping at its end. Answers the bytes written. */
export function writeRows(payload: Uint8Array, trace: Trace, from: number): number {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const rows = Math.floor(payload.byteLength / rowBytes);
  for (let row = 0; row < rows; row += 1) {
    const event = (from + row) % trace.events;
    const id = trace.id(event);
    const side = trace.isAllocation(event) ? 0 : 1;
    const distance = (id % ticks) * tickSize;
    const at = row * rowBytes;
    view.setFloat64(at, middlePrice + (side === 0 ? -distance : distance), true);
    view.setFloat64(at + 8, 1 + (trace.size(event) % 10_000), true);
    view.setUint32(at + 16, id, true);
    view.setUint32(at + 20, side, true);
  }
  return rows * rowBytes;
}

export interface BookSummary {
  readonly rows: number;
  readonly quantity: number;
  /** Weighted by quantity. */
  readonly averagePrice: number;
}

/** Read in place, row by row. */
export function summarizeRows(payload: ReadonlyBytes): BookSummary {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const rows = Math.floor(payload.byteLength / rowBytes);
  let quantity = 0;
  let value = 0;
  for (let at = 0; at < rows * rowBytes; at += rowBytes) {
    const amount = view.getFloat64(at + 8, true);
    quantity += amount;
    value += amount * view.getFloat64(at, true);
  }
  return { rows, quantity, averagePrice: quantity === 0 ? 0 : value / quantity };
}
