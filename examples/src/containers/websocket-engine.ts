/**
 * Serves bursts of messages out of a stack: a mark before the burst, everything the burst needs, and one rewind that
 * frees it all. What connections keep lies below the marks and stays.
 */
import { BlockSet } from '../library/block-set.ts';
import type { ContainerOptions } from '../library/container.ts';
import { FaultLog } from '../library/fault-log.ts';
import { reportProgress } from '../library/progress.ts';
import { every } from '../library/ticker.ts';
import { touchEnds } from '../library/touch.ts';

const connections = 64;
const connectionBytes = 4096;
const burstMs = 25;
const messagesPerBurst = 48;
/** Message n of a burst has one of these sizes; the large ones are snapshots, the small ones updates. */
const messageBytes = [256, 512, 256, 1024, 256, 4096, 512, 16_384] as const;
const burstBytes =
  messageBytes.reduce((sum, bytes) => sum + bytes, 0) * (messagesPerBurst / messageBytes.length);

export async function run({ client, signal, report }: ContainerOptions): Promise<void> {
  const faults = new FaultLog(report);
  const pool = client.pool('websocket', { segmentBytes: 4 * 1024 ** 2 });
  const kept = new BlockSet({ pool, faults, signal });
  let bursts = 0;
  let messages = 0;

  /** Below every mark, so that no rewind frees it. */
  const connect = async (): Promise<boolean> => {
    while (kept.size < connections) {
      const state = await kept.add(connectionBytes);
      if (state === null) return false;
      touchEnds(state.view(), kept.size);
    }
    return true;
  };
  const burst = async (): Promise<void> => {
    if (!(await connect())) return;
    const mark = pool.mark();
    const scratch = new BlockSet({ pool, faults, signal });
    try {
      for (let message = 0; message < messagesPerBurst; message += 1) {
        const block = await scratch.add(messageBytes[message % messageBytes.length] ?? 256);
        if (block === null) return;
        touchEnds(block.view(), message);
        messages += 1;
      }
      bursts += 1;
    } finally {
      pool.rewind(mark);
    }
  };
  await burst();
  report('ready', { burstBytes });
  await Promise.all([
    every(burstMs, signal, burst),
    reportProgress({
      client,
      signal,
      report,
      figures: () => ({ failures: faults.total, liveBytes: kept.liveBytes, bursts, messages }),
    }),
  ]);
}
