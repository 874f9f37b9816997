import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { type Device, detectDevices, openDevice } from './device.ts';
import { NativeError } from './errors.ts';
import { createSegment, mapSegment } from './segment.ts';
import { Child } from './testing/child.ts';
import { codeOf } from './testing/code-of.ts';
import { startWorker } from './testing/worker.ts';

const mib = 2 ** 20;

async function failureOf(promise: Promise<unknown>): Promise<NativeError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof NativeError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

describe.each(detectDevices().devices.filter(({ computes }) => computes))('faults of $id', ({ id }) => {
  it.each(['lost_at_submit', 'lost_at_wait'] as const)('%s: everybody hears of it once', async (fault) => {
    const device: Device = openDevice(id);
    using segment = createSegment({ name: 'lost', bytes: mib });
    using mapping = mapSegment(segment, { access: 'read-write' });
    const buffer = device.import(mapping);
    const heard: string[] = [];
    device.onLost((reason) => heard.push(reason));
    device.inject(fault, 1);
    const fill = (value: number) => device.fill({ buffer, offset: 0, bytes: mib }, value);
    await fill(1);
    expect(heard).toEqual([]);
    const failures = await Promise.all([failureOf(fill(2)), failureOf(fill(3)), failureOf(fill(4))]);
    for (const { code, message } of failures) {
      expect(code).toBe('device_lost');
      expect(message).toContain(id);
    }
    expect(heard).toHaveLength(1);
    expect(heard[0]).not.toBe('');
    device.onLost((reason) => heard.push(reason));
    await Promise.resolve();
    expect(heard).toEqual([heard[0], heard[0]]);
    expect(device.health()).toMatchObject({ usable: false });
    expect(device.health().reason).not.toBe('');
    expect(codeOf(() => device.import(mapping))).toBe('device_lost');
    expect(codeOf(() => device.allocate(64))).toBe('device_lost');
    await device.close();
    // The host's memory is the host's.
    if (buffer.shared) expect(mapping.view(mib - 1, 1)[0]).toBeGreaterThan(0);
    mapping.view(0, mib).fill(9);
    expect(mapping.view(77, 1)[0]).toBe(9);
  });

  it('a failed operation is one that failed, and no room is no room', async () => {
    const device = openDevice(id);
    const buffer = device.allocate(4096);
    device.inject('failed_at_submit');
    const range = { buffer, offset: 0, bytes: 4096 };
    expect((await failureOf(device.fill(range, 1))).code).toBe('device_failed');
    await device.fill(range, 2);
    expect(buffer.read(4095, 1)[0]).toBe(2);
    expect(device.health()).toMatchObject({ usable: true, failed: 1 });
    device.inject('out_of_memory_at_allocate');
    expect(codeOf(() => device.allocate(64))).toBe('out_of_memory');
    device.inject('lost_at_submit');
    device.inject('none');
    await device.fill(range, 3);
    expect(codeOf(() => device.inject('rust' as 'none'))).toBe('invalid_argument');
    await device.close();
  });

  it('a worker may be terminated with operations on their way, and what it held is let go of', async () => {
    using segment = createSegment({ name: 'terminated', bytes: 32 * mib });
    // Answers come in while the engine ends: short operations in great number meet that moment, long ones outlive it.
    for (let round = 0; round < 5; round += 1) {
      const worker = startWorker(
        `const device = nautilus.openDevice(input.id);
         const mapping = map(input.fd);
         const buffer = device.import(mapping);
         mapping.close();
         for (let at = 0; at < 2000; at += 1) void device.checksum({ buffer, offset: 0, bytes: 4096 });
         for (let at = 0; at < 8; at += 1) void device.checksum({ buffer, offset: 0, bytes: buffer.bytes });
         parentPort.postMessage('started');`,
        { id, fd: segment.fd },
      );
      await once(worker, 'message');
      expect(await worker.terminate()).toBe(1);
    }
    // The engine and the driver still stand.
    const device = openDevice(id);
    await device.close();
  });

  it('a process may exit with operations on their way', async () => {
    const child = new Child(
      `const device = nautilus.openDevice(${JSON.stringify(id)});
       const buffer = device.allocate(${32 * mib});
       for (let at = 0; at < 8; at += 1) void device.checksum({ buffer, offset: 0, bytes: buffer.bytes });
       process.exit(3);`,
    );
    expect(await child.end()).toMatchObject({ code: 3, signal: null, stderr: '' });
  });

  it('a process lives for an operation on its way, and not for an open device', async () => {
    const child = new Child(
      `const device = nautilus.openDevice(${JSON.stringify(id)});
       const buffer = device.allocate(${mib});
       device.checksum({ buffer, offset: 0, bytes: 32 }).then((found) => console.log(found.toString(16)));`,
    );
    expect(await child.end()).toMatchObject({ code: 0, stdout: '8a9136aa\n' });
  });
});
