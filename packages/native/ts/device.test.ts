import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Device, detectDevices, openDevice } from './device.ts';
import type { DeviceBuffer } from './device-buffer.ts';
import { NativeError } from './errors.ts';
import type { Mapping } from './mapping.ts';
import { createSegment, mapSegment, reopenReadOnly } from './segment.ts';
import { codeOf } from './testing/code-of.ts';

const mib = 2 ** 20;
const { kinds, devices } = detectDevices();

/** The code that a promise is rejected with. */
async function codeOfLater(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof NativeError) return error.code;
    throw error;
  }
  return 'no error';
}

function mappedSegment(bytes: number): Mapping {
  using segment = createSegment({ name: 'device-test', bytes });
  return mapSegment(segment, { access: 'read-write' });
}

/** How often the segments of these tests are mapped in this process. */
function mappings(): number {
  return readFileSync('/proc/self/maps', 'utf8').split('device-test').length - 1;
}

describe('detectDevices', () => {
  it('finds the host, and of every other kind a device or the reason why not', () => {
    expect(devices[0]).toMatchObject({ id: 'host:0', kind: 'host', computes: true, computeReason: null });
    for (const { kind, summary, reason } of kinds) {
      expect(summary).not.toBe('');
      expect(devices.some((device) => device.kind === kind) || (reason ?? '') !== '').toBe(true);
    }
    expect(kinds.map(({ kind }) => kind).slice(0, 2)).toEqual(['host', 'vulkan']);
  });

  it('opens what was found, and refuses what was not', () => {
    expect(codeOf(() => openDevice('vulkan:99'))).toBe('not_found');
    expect(codeOf(() => openDevice('abacus:0'))).toBe('not_found');
    expect(codeOf(() => openDevice(''))).toBe('invalid_argument');
  });
});

describe.each(devices)('device $id ($name)', ({ id, computes, computeReason }) => {
  let device: Device;
  let mapping: Mapping;
  let buffer: DeviceBuffer;
  beforeAll(() => {
    device = openDevice(id);
    mapping = mappedSegment(16 * mib);
    buffer = device.import(mapping);
  });
  afterAll(async () => {
    await device.close();
    mapping.close();
  });
  const test = it.skipIf(!computes);
  if (!computes) it.skip(`operations (skipped: ${computeReason})`, () => undefined);

  it('shares an import, or says why it is a copy', () => {
    expect(buffer.bytes).toBe(mapping.bytes);
    expect(buffer.shared).toBe(buffer.reason === null);
  });

  test('computes on the bytes that JavaScript wrote, and JavaScript sees what it wrote', async () => {
    const view = mapping.view(0, mapping.bytes);
    const text = new TextEncoder().encode('123456789');
    view.set(text, 4097);
    if (buffer.shared) expect(await device.checksum({ buffer, offset: 4097, bytes: 9 })).toBe(0xe3069283);
    await device.fill({ buffer, offset: 3, bytes: 10 }, 0xab);
    await device.copy({ buffer, offset: 8 * mib + 1, bytes: 9 }, { buffer, offset: 4097 });
    await device.scrub({ buffer, offset: 5, bytes: 2 });
    await device.move(buffer, [
      { from: 3, to: 4, bytes: 10 },
      { from: 4, to: 1000, bytes: 3 },
    ]);
    const seen = buffer.shared ? view : new Uint8Array(buffer.read(0, buffer.bytes));
    const [b, z] = [0xab, 0];
    expect([...seen.subarray(0, 16)]).toEqual([z, z, z, b, b, b, z, z, b, b, b, b, b, b, z, z]);
    expect([...seen.subarray(999, 1004)]).toEqual([z, b, b, z, z]);
    if (buffer.shared) expect(seen.subarray(8 * mib + 1, 8 * mib + 10)).toEqual(text);
  });

  test('has thousands of operations on their way, in order', async () => {
    using own = device.allocate(4096);
    await Promise.all(
      Array.from({ length: 2000 }, (_, at) =>
        device.fill({ buffer: own, offset: at % 1000, bytes: 1001 }, at & 255),
      ),
    );
    // The last one that covered a byte wins.
    const model = new Uint8Array(4096);
    for (let at = 0; at < 2000; at += 1) model.fill(at & 255, at % 1000, (at % 1000) + 1001);
    expect(own.read(0, 4096).equals(model)).toBe(true);
  });

  test('never holds up the event loop', async () => {
    let turns = 0;
    let isDone = false;
    const turn = () => {
      turns += 1;
      if (!isDone) setImmediate(turn);
    };
    setImmediate(turn);
    const range = { buffer, offset: 1, bytes: buffer.bytes - 1 };
    await Promise.all([device.checksum(range), device.checksum(range), device.checksum(range)]);
    isDone = true;
    expect(turns).toBeGreaterThan(20);
  });

  it('names places by arithmetic alone', () => {
    const first = buffer.place(0);
    expect(buffer.place(12_345)).toEqual({ ...first, offset: first.offset + 12_345 });
    expect(buffer.place(buffer.bytes - 1).offset).toBe(buffer.bytes - 1);
    for (const offset of [-1, 0.5, Number.NaN, buffer.bytes, 2 ** 53]) {
      expect(codeOf(() => buffer.place(offset))).toBe('invalid_argument');
    }
  });

  it('keeps imported memory mapped until the buffer is closed, even when the mapping is closed before', async () => {
    const before = mappings();
    const short = mappedSegment(mib);
    const view = short.view(0, 16);
    const imported = device.import(short);
    short.close();
    expect(view.length).toBe(0);
    expect(mappings()).toBe(before + 1);
    if (computes) {
      await device.fill({ buffer: imported, offset: 0, bytes: mib }, 7);
      expect(imported.read(mib - 1, 1)[0]).toBe(7);
    }
    imported.close();
    imported.close();
    expect(mappings()).toBe(before);
    expect(codeOf(() => imported.place(0))).toBe('closed');
    expect(codeOf(() => imported.read(0, 1))).toBe('closed');
    expect(await codeOfLater(device.fill({ buffer: imported, offset: 0, bytes: 1 }, 1))).toBe('closed');
    expect(codeOf(() => device.import(short))).toBe('closed');
  });

  test('lets a buffer close with operations on their way', async () => {
    const short = mappedSegment(4 * mib);
    const imported = device.import(short);
    const underway = [1, 2, 3].map((value) =>
      device.fill({ buffer: imported, offset: 0, bytes: 4 * mib }, value),
    );
    imported.close();
    short.close();
    await Promise.all(underway);
  });

  test('refuses what cannot be, and names it', async () => {
    const range = (offset: number, bytes: number) => ({ buffer, offset, bytes });
    const other = openDevice(id);
    const foreign = other.allocate(64);
    const refused = [
      device.fill(range(buffer.bytes, 1), 1),
      device.fill(range(-1, 1), 1),
      device.fill(range(0, 1.5), 1),
      device.fill(range(0, 1), 256),
      device.copy(range(0, 100), { buffer, offset: 50 }),
      device.copy(range(0, 100), { buffer: foreign, offset: 0 }),
      device.move(buffer, [{ from: 0, to: buffer.bytes, bytes: 1 }]),
      device.checksum({ buffer: foreign, offset: 0, bytes: 1 }),
    ];
    for (const promise of refused) expect(await codeOfLater(promise)).toBe('invalid_argument');
    await expect(device.fill(range(buffer.bytes, 1), 1)).rejects.toThrow(/fill: target: 1 bytes at offset/);
    await other.close();
    expect(codeOf(() => device.allocate(0))).toBe('invalid_argument');
    expect(codeOf(() => device.allocate(2 ** 52))).toBe('out_of_memory');
    expect(device.health()).toMatchObject({ usable: true, reason: null });
  });

  test('reads a read-only mapping and does not write it', async () => {
    using segment = createSegment({ name: 'device-grant', bytes: mib });
    using readOnly = reopenReadOnly(segment);
    const granted = mapSegment(readOnly, { access: 'read-only' });
    const imported = device.import(granted);
    expect(imported.writable).toBe(false);
    expect(await device.checksum({ buffer: imported, offset: 0, bytes: 32 })).toBe(0x8a9136aa);
    expect(await codeOfLater(device.fill({ buffer: imported, offset: 0, bytes: 1 }, 1))).toBe(
      'invalid_argument',
    );
    expect(codeOf(() => imported.write(0, Uint8Array.of(1)))).toBe('permission_denied');
    imported.close();
    granted.close();
  });

  it('gives memory of its own: zero, written and read by copies', () => {
    using own = device.allocate(1000);
    expect(own.read(0, 1000).every((byte) => byte === 0)).toBe(true);
    own.write(997, Uint8Array.of(1, 2, 3));
    expect([...own.read(996, 4)]).toEqual([0, 1, 2, 3]);
    expect(codeOf(() => own.write(998, Uint8Array.of(1, 2, 3)))).toBe('invalid_argument');
    expect(codeOf(() => own.read(0, 1001))).toBe('invalid_argument');
  });

  test('closes after what is on its way, and is closed for good', async () => {
    const closing = openDevice(id);
    const own = closing.allocate(4 * mib);
    const underway = closing.fill({ buffer: own, offset: 0, bytes: 4 * mib }, 1);
    const closed = closing.close();
    expect(closing.closed).toBe(true);
    expect(await codeOfLater(closing.fill({ buffer: own, offset: 0, bytes: 1 }, 1))).toBe('closed');
    await Promise.all([underway, closed, closing.close()]);
    expect(own.closed).toBe(true);
    for (const use of [() => closing.allocate(1), () => closing.health(), () => closing.inject('none')]) {
      expect(codeOf(use)).toBe('closed');
    }
  });
});
