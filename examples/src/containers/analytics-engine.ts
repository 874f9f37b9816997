/**
 * Reads every frame in place and remembers the last half minute in its own pool. The memory is a comfort and not a
 * need, so it gives it back when it is asked, and keeps less of it while the host is under pressure.
 */
import type { AlertBody, Degree } from '@nautilus/contracts';
import { BlockSet } from '../library/block-set.ts';
import type { ContainerOptions } from '../library/container.ts';
import { FaultLog } from '../library/fault-log.ts';
import { FrameFeed } from '../library/frame-feed.ts';
import { reportProgress } from '../library/progress.ts';
import { RollingWindows } from '../library/rolling-windows.ts';
import { afterEvery } from '../library/ticker.ts';

const windowMs = 1000;
const usualWindows = 30;
const windowsUnderPressure = 8;

export async function run({ client, signal, report }: ContainerOptions): Promise<void> {
  const faults = new FaultLog(report);
  const pool = client.pool('analytics');
  const windows = new RollingWindows(new BlockSet({ pool, faults, signal }), usualWindows);
  const feed = new FrameFeed({
    client,
    owner: 'market-data',
    signal,
    report,
    onBook: (summary) => windows.add(summary),
  });

  const giveBack = async (degree: Degree): Promise<number> => {
    const freed = degree === 'trim' ? 0 : degree === 'shrink' ? windows.halve() : windows.clear();
    const releasedBytes = await pool.trim({ signal });
    report('released', { degree, freedBytes: freed, releasedBytes });
    return releasedBytes;
  };
  client.onRelease(({ degree }) => giveBack(degree));
  client.onPressure(
    (alert) => {
      if (isCalm(alert)) windows.unlimit();
      else report('released', { tier: alert.tier, freedBytes: windows.limitTo(windowsUnderPressure) });
    },
    { minimumTier: 'warning' },
  );

  await windows.rotate();
  report('ready');
  await Promise.all([
    feed.run(),
    afterEvery(windowMs, signal, () => windows.rotate()),
    reportProgress({
      client,
      signal,
      report,
      figures: () => ({
        failures: faults.total,
        liveBytes: windows.liveBytes,
        windows: windows.count,
        ...feed.figures(),
      }),
    }),
  ]);
}

function isCalm(alert: AlertBody): boolean {
  return alert.state === 'cleared' || alert.tier === 'info';
}
