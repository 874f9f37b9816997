/**
 * A region's device is lost while containers work (SPEC O5): its pools go over to plain memory, the loss is told as an
 * alert with its reason, and work goes on. The device is a real Vulkan driver, of which one answer is replaced.
 */
import { watched } from '@nautilus/allocator';
import { exchanges, listAlerts } from '@nautilus/contracts';
import { startMonitoring } from '@nautilus/memory';
import { type Device, detectDevices, openDevice } from '@nautilus/native';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { startHost } from '../support/host.ts';

const { devices, kinds } = detectDevices();
const gpu = devices.find(({ kind }) => kind === 'vulkan');

describe('a region whose device is lost', () => {
  it('works on plain memory, tells why, and keeps what it held', async (context) => {
    if (gpu === undefined) {
      context.skip(`no Vulkan device: ${kinds.find(({ kind }) => kind === 'vulkan')?.reason}`);
      return;
    }
    const opened: Device[] = [];
    const openDevices = () => {
      const device = openDevice(gpu.id);
      opened.push(device);
      return { devices: [watched(device)], absent: {} };
    };
    await using host = await startHost({ allocator: { software_devices: true } }, { openDevices });
    const monitoring = await startMonitoring({ config: host.config, interval: 200, prometheusPort: 0 });
    try {
      const at = { host: 'h1', party: 'analytics-engine' };
      const lease = async () =>
        (await host.bus.request(exchanges.leaseSegment, at, { pool: 'gpu', bytes: 65_536 })).device;
      expect(await lease()).toEqual({ wanted: 'gpu', device: gpu.id, state: 'as-wanted', reason: null });

      const client = await host.client('analytics-engine');
      const block = await client.pool('gpu').allocate(4096);
      block.view().fill(42);
      opened[0]?.inject('lost_at_wait');
      const fallback = async () =>
        (await host.bus.request(listAlerts, {}, { host: 'h1' })).alerts.filter(
          ({ signal, scope }) => signal === 'device-fallback' && scope.name === 'gpu-optimized',
        );
      const [alert] = await eventually(fallback, (alerts) => alerts[0]?.tier === 'critical', {
        what: 'the alert that the device was lost',
        timeoutMs: 20_000,
      });
      expect(alert?.text).toContain(gpu.id);
      expect(await lease()).toMatchObject({ wanted: 'gpu', device: 'host', state: 'lost' });
      expect((await lease())?.reason).toContain(gpu.id);
      expect(block.view().every((byte) => byte === 42)).toBe(true);
      const another = await client.pool('gpu').allocate(8192);
      another.view().fill(1);
      another.free();
      block.free();
    } finally {
      await monitoring.stop();
    }
  });
});
