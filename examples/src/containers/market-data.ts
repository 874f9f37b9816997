/**
 * The container that everyone reads: it allocates as two recorded programs did, and publishes an order book in a ring
 * that the engines map.
 */
import { BlockSet } from '../library/block-set.ts';
import type { ContainerOptions } from '../library/container.ts';
import { FaultLog } from '../library/fault-log.ts';
import { writeRows } from '../library/order-book.ts';
import { reportProgress } from '../library/progress.ts';
import { Publisher } from '../library/publisher.ts';
import { every } from '../library/ticker.ts';
import { Replay } from '../traces/replay.ts';
import { traceNames } from '../traces/trace-files.ts';

export const frameReaders = ['analytics-engine', 'risk-engine', 'ml-engine'] as const;

/** 100,000 events and 200 frames a second: visible in every figure, and a small part of one core. */
const tickMs = 20;
const eventsPerTick = 2000;
const framesPerTick = 4;
const maintainMs = 1000;

export async function run({ client, signal, report, traces }: ContainerOptions): Promise<void> {
  const faults = new FaultLog(report);
  const recorded = await Promise.all(traceNames.map((name) => traces(name)));
  const pool = client.pool('trading');
  const publisher = new Publisher({
    client,
    fallback: pool,
    readers: frameReaders,
    report,
    faults,
    signal,
  });
  await publisher.maintain();
  const blocks = new BlockSet({ pool, faults, signal });
  const replays = recorded.map((trace) => new Replay(trace, blocks));
  let loops = 0;

  const replay = async (): Promise<void> => {
    const current = replays[loops % replays.length];
    if (await current?.step(eventsPerTick)) loops += 1;
  };
  const publish = (): void => {
    const trace = recorded[loops % recorded.length];
    if (trace === undefined) return;
    for (let frame = 0; frame < framesPerTick; frame += 1) {
      const from = publisher.framesPublished * 31;
      publisher.publish((payload) => writeRows(payload, trace, from));
    }
  };
  await Promise.all([
    every(tickMs, signal, replay),
    // On its own clock: frames go on while an allocation waits for an agent that is away.
    every(tickMs, signal, publish),
    every(maintainMs, signal, () => publisher.maintain()),
    reportProgress({
      client,
      signal,
      report,
      figures: () => ({
        failures: faults.total,
        liveBytes: blocks.liveBytes + publisher.liveBytes,
        framesPublished: publisher.framesPublished,
        traceLoops: loops,
      }),
    }),
  ]);
}
