// A device that fails in the middle of its work costs no data: what it was to do is done by the host, and the bytes are
// the same as if nothing had happened. On every device that computes here; a drill of SPEC O5.

import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Accelerator } from './accelerator.ts';
import { detectDevices, type InjectedFault, openDevice } from './device.ts';
import { createSegment, mapSegment } from './segment.ts';

const { devices, kinds } = detectDevices();
const others = devices.filter(({ kind, computes }) => kind !== 'host' && computes);
const faults: readonly InjectedFault[] = ['lost_at_submit', 'failed_at_submit', 'lost_at_wait'];
const bytes = 1 << 20;

function memory() {
  using segment = createSegment({ name: 'accelerated', bytes });
  const mapping = mapSegment(segment, { access: 'read-write' });
  mapping.view(0, bytes).set(randomBytes(bytes));
  return mapping;
}

/** What the work does, on plain bytes. */
function expectedAfterWork(before: Uint8Array): Uint8Array {
  const after = Uint8Array.from(before);
  after.fill(7, 3, 3 + 5000);
  after.copyWithin(100_000, 200_001, 250_001);
  after.copyWithin(300_000, 300_100, 400_100);
  after.copyWithin(600_000, 500_000, 550_000);
  after.fill(0, 900_001, 900_501);
  return after;
}

describe('without a device', () => {
  it('the host does the work, and says why', async () => {
    await using host = openDevice('host:0');
    const accelerator = new Accelerator({ device: null, host });
    using mapping = memory();
    using accelerated = accelerator.import(mapping);
    await accelerated.fill({ offset: 0, bytes: 10 }, 9);
    expect([...mapping.view(0, 10)]).toEqual(new Array(10).fill(9));
    expect(accelerator.worksOn).toBe(host.id);
    expect(accelerated.reason).toBe('no device was given');
  });
});

describe('with a device', () => {
  const large = 1 << 26;
  if (others.length === 0) {
    const why = kinds.map(({ kind, reason }) => `${kind}: ${reason}`).join('; ');
    it.skip(`nothing but the host computes here (${why})`, () => undefined);
    return;
  }
  describe.each(others)('$id ($name)', ({ id }) => {
    it.each(faults.flatMap((fault) => [0, 1, 2, 3, 5].map((after) => ({ fault, after }))))(
      'that is $fault after $after answers, the work comes out right',
      async ({ fault, after }) => {
        await using host = openDevice('host:0');
        await using device = openDevice(id);
        const told: string[] = [];
        const accelerator = new Accelerator({ device, host, onFallback: (reason) => told.push(reason) });
        using mapping = memory();
        const before = Uint8Array.from(mapping.view(0, bytes));
        using accelerated = accelerator.import(mapping);
        expect(accelerated.reason).toBeNull();
        device.inject(fault, after);
        await accelerated.fill({ offset: 3, bytes: 5000 }, 7);
        await accelerated.copy({ offset: 100_000, bytes: 50_000 }, 200_001);
        await accelerated.move([
          { from: 300_100, to: 300_000, bytes: 100_000 },
          { from: 500_000, to: 600_000, bytes: 50_000 },
        ]);
        await accelerated.scrub({ offset: 900_001, bytes: 500 });
        const sum = await accelerated.checksum({ offset: 0, bytes });
        expect(Buffer.compare(mapping.view(0, bytes), expectedAfterWork(before))).toBe(0);
        expect(sum).toBe(await host.checksum({ buffer: accelerated.onHost, offset: 0, bytes }));
        const isHit = after < 5;
        expect(accelerator.worksOn).toBe(isHit ? host.id : device.id);
        expect(told).toHaveLength(isHit ? 1 : 0);
        expect(accelerator.reason).toBe(isHit ? told[0] : null);
      },
    );

    it.each(faults)('that is %s writes nothing more once the work is said to be done', async (fault) => {
      await using host = openDevice('host:0');
      await using device = openDevice(id);
      const accelerator = new Accelerator({ device, host });
      using segment = createSegment({ name: 'accelerated', bytes: large });
      using mapping = mapSegment(segment, { access: 'read-write' });
      using accelerated = accelerator.import(mapping);
      device.inject(fault, 3);
      // Not awaited one by one: they wait in line.
      await Promise.all([1, 2, 3, 4, 5].map((value) => accelerated.fill({ offset: 0, bytes: large }, value)));
      const view = mapping.view(0, large);
      expect(view.every((byte) => byte === 5)).toBe(true);
      view.fill(9);
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(view.every((byte) => byte === 9)).toBe(true);
    });

    it('keeps the order of what is asked for, also when parts of it are done by the host', async () => {
      await using host = openDevice('host:0');
      await using device = openDevice(id);
      const accelerator = new Accelerator({ device, host });
      using mapping = memory();
      using accelerated = accelerator.import(mapping);
      device.inject('failed_at_submit', 0);
      await Promise.all([
        accelerated.fill({ offset: 0, bytes }, 1),
        accelerated.fill({ offset: bytes / 2, bytes: bytes / 2 }, 2),
        accelerated.move([{ from: bytes / 2, to: bytes / 2 - 4096, bytes: bytes / 2 }]),
      ]);
      const view = mapping.view(0, bytes);
      expect(view.indexOf(2)).toBe(bytes / 2 - 4096);
      expect(view.lastIndexOf(1)).toBe(bytes / 2 - 4097);
    });

    it('told as lost, has left the memory alone, also for who asked it directly', async () => {
      await using device = openDevice(id);
      using segment = createSegment({ name: 'accelerated', bytes: large });
      using mapping = mapSegment(segment, { access: 'read-write' });
      const buffer = device.import(mapping);
      device.inject('lost_at_wait', 2);
      const answers = [1, 2, 3, 4].map((value) => device.fill({ buffer, offset: 0, bytes: large }, value));
      await Promise.allSettled(answers);
      const view = mapping.view(0, large);
      view.fill(9);
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(view.every((byte) => byte === 9)).toBe(true);
      buffer.close();
    });
  });
});
