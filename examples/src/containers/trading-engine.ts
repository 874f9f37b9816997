/**
 * The critical one: a steady book of small orders, each a block of its own, new ones coming in as old ones are filled.
 * What it must never see is a refusal, so it leases ahead of its need.
 */
import { BlockSet } from '../library/block-set.ts';
import type { ContainerOptions } from '../library/container.ts';
import { FaultLog } from '../library/fault-log.ts';
import type { Memory } from '../library/platform.ts';
import { reportProgress } from '../library/progress.ts';
import { every } from '../library/ticker.ts';

const openOrders = 20_000;
const tickMs = 20;
const ordersPerTick = 200;
const orderBytes = [128, 192, 128, 256, 128, 384] as const;
const reserveBytes = 8 * 1024 ** 2;

export async function run({ client, signal, report }: ContainerOptions): Promise<void> {
  const faults = new FaultLog(report);
  const pool = client.pool('trading');
  const orders = new BlockSet({ pool, faults, signal });
  const book = new Array<Memory | null>(openOrders).fill(null);
  let placed = 0;
  let filled = 0;

  /** The next order takes the place of the oldest, which is filled by it. */
  const place = async (): Promise<void> => {
    const block = await orders.add(orderBytes[placed % orderBytes.length] ?? 128);
    if (block === null) return;
    const slot = placed % openOrders;
    const previous = book[slot] ?? null;
    book[slot] = block;
    placed += 1;
    writeOrder(block, placed);
    if (previous === null) return;
    orders.free(previous);
    filled += 1;
  };
  const tick = async (): Promise<void> => {
    for (let order = 0; order < ordersPerTick && !signal.aborted; order += 1) await place();
  };

  try {
    await pool.reserve(reserveBytes, { signal });
  } catch (error) {
    if (!signal.aborted) faults.note(error);
  }
  await tick();
  report('ready', { reservedBytes: reserveBytes });
  await Promise.all([
    every(tickMs, signal, tick),
    reportProgress({
      client,
      signal,
      report,
      figures: () => ({ failures: faults.total, liveBytes: orders.liveBytes, placed, filled }),
    }),
  ]);
}

/** u64 order, f64 price, f64 Unix ms. */
function writeOrder(block: Memory, order: number): void {
  const bytes = block.view();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  view.setBigUint64(0, BigInt(order), true);
  view.setFloat64(8, 100 + (order % 997) / 100, true);
  view.setFloat64(16, Date.now(), true);
}
