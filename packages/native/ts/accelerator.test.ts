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
  });
});
