/**
 * Holds the weights of a model and loads a newer one now and then, the old one serving until the new one is there: the
 * moment at which a model server needs its memory twice. Features come from the frames, read in place.
 */
import { BlockSet } from '../library/block-set.ts';
import type { ContainerOptions } from '../library/container.ts';
import { FaultLog } from '../library/fault-log.ts';
import { FrameFeed } from '../library/frame-feed.ts';
import type { Memory } from '../library/platform.ts';
import { reportProgress } from '../library/progress.ts';
import { afterEvery } from '../library/ticker.ts';
import { touchPages } from '../library/touch.ts';

const mebibyte = 1024 ** 2;
export const modelSizes = [32 * mebibyte, 16 * mebibyte, 8 * mebibyte] as const;
const reloadMs = 20_000;

export async function run({ client, signal, report }: ContainerOptions): Promise<void> {
  const faults = new FaultLog(report);
  const smallest = modelSizes[modelSizes.length - 1] ?? mebibyte;
  const pool = client.pool('ml-models', { segmentBytes: smallest });
  const blocks = new BlockSet({ pool, faults, signal });
  let weights: Memory | null = null;
  let models = 0;
  let feature = 0;
  const feed = new FrameFeed({
    client,
    owner: 'market-data',
    signal,
    report,
    // An exponential average: one number that has seen every frame.
    onBook: ({ averagePrice }) => {
      feature = feature * 0.99 + averagePrice * 0.01;
    },
  });

  /** Sizes change from model to model, as far as two of them fit the budget. */
  const sizeOf = async (model: number): Promise<number> => {
    const { budgetBytes } = await client.describe({ signal });
    const possible = modelSizes.filter((bytes) => bytes * 2 <= budgetBytes);
    return possible[model % Math.max(1, possible.length)] ?? smallest;
  };
  const load = async (): Promise<void> => {
    try {
      const next = await blocks.add(await sizeOf(models));
      if (next === null) return;
      touchPages(next.view(), (models % 255) + 1);
      if (weights !== null) blocks.free(weights);
      weights = next;
      models += 1;
      await pool.trim({ signal });
    } catch (error) {
      if (!signal.aborted) faults.note(error);
    }
  };
  await load();
  report('ready');
  await Promise.all([
    feed.run(),
    afterEvery(reloadMs, signal, load),
    reportProgress({
      client,
      signal,
      report,
      figures: () => ({
        failures: faults.total,
        liveBytes: blocks.liveBytes,
        models,
        feature,
        ...feed.figures(),
      }),
    }),
  ]);
}
