/**
 * Revalues its positions from every frame, read in place. A table is never changed while it is used: the next one is
 * written beside it and takes its place.
 */
import { BlockSet } from '../library/block-set.ts';
import type { ContainerOptions } from '../library/container.ts';
import { FaultLog } from '../library/fault-log.ts';
import { FrameFeed } from '../library/frame-feed.ts';
import type { BookSummary } from '../library/order-book.ts';
import type { Memory } from '../library/platform.ts';
import { reportProgress } from '../library/progress.ts';
import { every } from '../library/ticker.ts';

const books = 4;
const tableBytes = 512 * 1024;
/** f64 position, f64 value. */
const positionBytes = 16;
const revalueMs = 250;

export async function run({ client, signal, report }: ContainerOptions): Promise<void> {
  const faults = new FaultLog(report);
  const blocks = new BlockSet({ pool: client.pool('risk'), faults, signal });
  const tables = new Map<number, Memory>();
  let newest: BookSummary = { rows: 0, quantity: 0, averagePrice: 0 };
  let turn = 0;
  const feed = new FrameFeed({
    client,
    owner: 'market-data',
    signal,
    report,
    onBook: (summary) => {
      newest = summary;
    },
  });

  const revalue = async (): Promise<void> => {
    const book = turn % books;
    turn += 1;
    const next = await blocks.add(tableBytes);
    if (next === null) return;
    writePositions(next, book, newest.averagePrice);
    const previous = tables.get(book);
    tables.set(book, next);
    if (previous !== undefined) blocks.free(previous);
  };
  await revalue();
  report('ready');
  await Promise.all([
    feed.run(),
    every(revalueMs, signal, revalue),
    reportProgress({
      client,
      signal,
      report,
      figures: () => ({ failures: faults.total, liveBytes: blocks.liveBytes, ...feed.figures() }),
    }),
  ]);
}

function writePositions(table: Memory, book: number, price: number): void {
  const bytes = table.view();
  const cells = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8);
  for (let cell = 0; cell < cells.length; cell += positionBytes / 8) {
    const position = ((cell + book) % 201) - 100;
    cells[cell] = position;
    cells[cell + 1] = position * price;
  }
}
