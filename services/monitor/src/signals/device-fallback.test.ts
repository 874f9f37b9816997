/** What is told of a region whose device is missing or lost, and that it is told at once and ends. */
import type { RegionDevice } from '@nautilus/contracts';
import { describe, expect, it } from 'vitest';
import { sampleOf } from '../testing/sample.ts';
import { defaultSettings } from '../testing/settings.ts';
import { type HostWatch, takeSample } from '../watch/host-watch.ts';

const works: RegionDevice = { wanted: 'gpu', device: 'vulkan:0', state: 'as-wanted', reason: null };
const missing: RegionDevice = { wanted: 'gpu', device: 'host', state: 'missing', reason: 'no driver' };
const lost: RegionDevice = { wanted: 'gpu', device: 'host', state: 'lost', reason: 'VK_ERROR_DEVICE_LOST' };

/** The alerts of a series of samples, a second apart. */
function alertsOf(devices: readonly (RegionDevice | undefined)[]) {
  let watch: HostWatch | undefined;
  return devices.flatMap((device, index) => {
    const region = { name: 'gpu-optimized', capacityBytes: 1024, leasedBytes: 0 };
    const sample = {
      ...sampleOf({ sequence: index, at: index * 1000 }),
      regions: [device === undefined ? region : { ...region, device }],
    };
    const taken = takeSample(watch, sample, index * 1000, defaultSettings);
    watch = taken?.watch ?? watch;
    return (taken?.announcements ?? []).map(({ body }) => body);
  });
}

describe('a region', () => {
  it('with its device, or of an agent that knows no devices, is not told of', () => {
    expect(alertsOf([works, works, undefined, undefined])).toEqual([]);
  });

  it('without the device that is wanted is told of mildly, with the reason', () => {
    const [alert, ...more] = alertsOf([missing, missing]);
    expect(more).toEqual([]);
    expect(alert).toMatchObject({
      signal: 'device-fallback',
      tier: 'info',
      state: 'raised',
      scope: { kind: 'region', name: 'gpu-optimized' },
    });
    expect(alert?.text).toContain('gpu is wanted, but no driver');
  });

  it('that lost its device is critical with the first sample that says so', () => {
    const [alert, ...more] = alertsOf([works, lost, lost]);
    expect(more).toEqual([]);
    expect(alert).toMatchObject({ tier: 'critical', state: 'raised', at: 1000 });
    expect(alert?.text).toContain('VK_ERROR_DEVICE_LOST');
  });

  it('that has its device again, after a restart of the agent, is cleared', () => {
    const told = alertsOf([lost, ...Array.from({ length: 120 }, () => works)]);
    expect(told.map(({ state }) => state)).toEqual(['raised', 'lowered', 'cleared']);
  });
});
