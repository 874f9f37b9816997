/** Windows roll, shrink under a limit, and give back what is asked for. */
import { describe, expect, it } from 'vitest';
import { collect } from '../testing/collect.ts';
import { FakeHost } from '../testing/fake-host.ts';
import { BlockSet } from './block-set.ts';
import { FaultLog } from './fault-log.ts';
import { RollingWindows, windowBytes } from './rolling-windows.ts';

async function windowsOf(count: number, most: number, host = new FakeHost(['analytics'])) {
  const faults = new FaultLog(collect().report);
  const pool = host.client('analytics-engine').pool('analytics');
  const windows = new RollingWindows(
    new BlockSet({ pool, faults, signal: new AbortController().signal }),
    most,
  );
  for (let window = 0; window < count; window += 1) await windows.rotate();
  return { windows, faults, host };
}

describe('rolling windows', () => {
  it('keep the newest', async () => {
    const { windows } = await windowsOf(5, 3);
    expect([windows.count, windows.liveBytes]).toEqual([3, 3 * windowBytes]);
  });

  it('write into the newest, and stop when it is full', async () => {
    const { windows, host } = await windowsOf(1, 3);
    for (let entry = 0; entry < windowBytes / 16 + 10; entry += 1)
      windows.add({ rows: 1, quantity: entry, averagePrice: 2 });
    const cells = new Float64Array(host.segments[0]?.buffer ?? new ArrayBuffer(0));
    expect([cells[0], cells[3], cells[windowBytes / 8]]).toEqual([2, 1, 0]);
  });

  it('give back half, then everything', async () => {
    const { windows } = await windowsOf(5, 9);
    expect(windows.halve()).toBe(2 * windowBytes);
    expect(windows.clear()).toBe(3 * windowBytes);
    windows.add({ rows: 1, quantity: 1, averagePrice: 1 });
    expect(windows.count).toBe(0);
  });

  it('stay below a limit until it is lifted', async () => {
    const { windows } = await windowsOf(5, 5);
    expect(windows.limitTo(2)).toBe(3 * windowBytes);
    await windows.rotate();
    expect(windows.count).toBe(2);
    windows.unlimit();
    await windows.rotate();
    expect(windows.count).toBe(3);
  });

  it('live with a refusal', async () => {
    const { windows, faults } = await windowsOf(2, 5, new FakeHost(['analytics'], 0));
    windows.add({ rows: 1, quantity: 1, averagePrice: 1 });
    expect([windows.count, faults.total]).toEqual([0, 2]);
  });
});
