/** Devices that fail in every way a driver knows: the regions go over to plain memory, once, with the reason. */
import { createLogger, manualClock } from '@nautilus/kit';
import { describe, expect, it } from 'vitest';
import { DeviceFault, DeviceWatch, type WatchedDevice } from './watch.ts';

const log = createLogger({ name: 'test', level: 'silent' });

const facts = { id: 'vulkan:0', kind: 'vulkan', name: 'Radeon', software: false };
const onHost = (state: string, reason: string) => ({ wanted: 'gpu', device: 'host', state, reason });

function stage(device: Partial<WatchedDevice> = {}) {
  const told: string[] = [];
  const lose: { now?: (reason: string) => void } = {};
  const closed: string[] = [];
  const clock = manualClock();
  const probes = { count: 0 };
  const watched: WatchedDevice = {
    facts,
    probe: () => {
      probes.count += 1;
      return Promise.resolve();
    },
    onLost: (callback) => {
      lose.now = callback;
    },
    close: () => closed.push(facts.id),
    ...device,
  };
  const watch = new DeviceWatch({
    regions: [
      { region: 'main', wanted: 'host' },
      { region: 'gpu-optimized', wanted: 'gpu' },
    ],
    allowSoftware: false,
    detect: () => ({ devices: [watched], absent: {} }),
    clock,
    log,
    onChange: (region, before, after) => told.push(`${region}: ${before.device} → ${after.device}`),
  });
  const context = { signal: new AbortController().signal, log };
  return { watch, told, lose, closed, clock, probes, start: () => watch.component.start?.(context) };
}

describe('a watched device', () => {
  it('works for the regions that want it and is probed while it does', async () => {
    const { watch, told, clock, probes, start } = stage();
    await start();
    await clock.advance(20_000);
    expect(watch.of('gpu-optimized')).toEqual({
      wanted: 'gpu',
      device: 'vulkan:0',
      state: 'as-wanted',
      reason: null,
    });
    expect(watch.of('main')?.device).toBe('host');
    expect(probes.count).toBe(4);
    expect(told).toEqual([]);
  });

  it('that is lost hands its regions over once, and is not probed again', async () => {
    const { watch, told, lose, clock, probes, start } = stage();
    await start();
    lose.now?.('VK_ERROR_DEVICE_LOST');
    lose.now?.('again');
    await clock.advance(20_000);
    expect(watch.of('gpu-optimized')).toEqual(onHost('lost', 'vulkan:0 (Radeon): VK_ERROR_DEVICE_LOST'));
    expect(told).toEqual(['gpu-optimized: vulkan:0 → host']);
    expect(probes.count).toBe(0);
    expect(watch.devices[0]?.lostReason).toBe('VK_ERROR_DEVICE_LOST');
  });

  it('that could not be probed is lost only when that goes on, and starts anew when it went well between', async () => {
    const answers = ['no descriptors', 'no descriptors', null, 'x', 'y', 'no descriptors'];
    const { watch, clock, start } = stage({
      probe: () => {
        const reason = answers.shift() ?? null;
        return reason === null ? Promise.resolve() : Promise.reject(new Error(reason));
      },
    });
    await start();
    await clock.advance(25_000);
    expect(watch.of('gpu-optimized')?.state).toBe('as-wanted');
    await clock.advance(5_000);
    expect(watch.of('gpu-optimized')).toEqual(onHost('lost', 'vulkan:0 (Radeon): no descriptors'));
  });

  it('that computes wrongly is lost at once', async () => {
    const { watch, clock, start } = stage({ probe: () => Promise.reject(new DeviceFault('wrong checksum')) });
    await start();
    await clock.advance(5_000);
    expect(watch.of('gpu-optimized')).toEqual(onHost('lost', 'vulkan:0 (Radeon): wrong checksum'));
  });

  it('that does not answer is lost', async () => {
    const { watch, clock, start } = stage({ probe: () => new Promise(() => {}) });
    await start();
    await clock.advance(14_000);
    expect(watch.of('gpu-optimized')?.device).toBe('vulkan:0');
    await clock.advance(2_000);
    expect(watch.of('gpu-optimized')).toEqual(
      onHost('lost', 'vulkan:0 (Radeon): did not answer within 10 s'),
    );
  });

  it('is closed at the end, and what it says then is no loss', async () => {
    const { watch, told, lose, closed, start } = stage();
    await start();
    await watch.component.drain?.();
    await watch.component.stop?.();
    lose.now?.('closed');
    expect(closed).toEqual(['vulkan:0']);
    expect(told).toEqual([]);
  });
});

it('goes on without devices when they cannot be looked for', async () => {
  const watch = new DeviceWatch({
    regions: [{ region: 'gpu-optimized', wanted: 'gpu' }],
    allowSoftware: false,
    detect: () => {
      throw new Error('the driver is broken');
    },
    clock: manualClock(),
    log,
  });
  await watch.component.start?.({ signal: new AbortController().signal, log });
  expect(watch.of('gpu-optimized')).toEqual(
    onHost('missing', 'metal: the driver is broken; vulkan: the driver is broken'),
  );
});
