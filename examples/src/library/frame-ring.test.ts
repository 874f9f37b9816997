/** Writer and reader of frames over plain ArrayBuffers: whole frames, torn ones, wrong ones. */
import { describe, expect, it } from 'vitest';
import { frameAt, frameHeadBytes, headerAt, headerBytes, ringBytes } from './frame-layout.ts';
import { FrameReader } from './frame-reader.ts';
import { FrameWriter } from './frame-writer.ts';

const shape = { frameCount: 4, frameBytes: 128 };

function ring() {
  const bytes = new Uint8Array(ringBytes(shape));
  const writer = new FrameWriter(bytes, shape);
  return { bytes, view: new DataView(bytes.buffer), writer, reader: new FrameReader(bytes) };
}

function publish(writer: FrameWriter, ...values: readonly number[]): void {
  for (const value of values)
    writer.publish((payload) => {
      payload.fill(value, 0, 10);
      return 10;
    }, 1000 + value);
}

describe('a frame', () => {
  it('is read where it was written', () => {
    const { bytes, writer, reader } = ring();
    publish(writer, 7);
    const outcome = reader.read(1);
    if (outcome.kind !== 'verified') throw new Error(outcome.kind);
    expect(outcome.frame).toMatchObject({ sequence: 1, timestampMs: 1007 });
    expect([...outcome.frame.payload]).toEqual(Array(10).fill(7));
    expect(outcome.frame.payload.buffer).toBe(bytes.buffer);
    expect(outcome.frame.payload.byteOffset).toBe(headerBytes + frameHeadBytes);
  });

  it('moves the sequence that readers see', () => {
    const { writer, reader } = ring();
    expect(reader.published).toBe(0);
    publish(writer, 1, 2, 3);
    expect([reader.published, writer.published]).toEqual([3, 3]);
  });

  it('wraps around, and the overwritten ones are gone', () => {
    const { writer, reader } = ring();
    publish(writer, 1, 2, 3, 4, 5, 6);
    expect([1, 2, 3, 4, 5, 6].map((sequence) => reader.read(sequence).kind)).toEqual([
      'torn',
      'torn',
      'verified',
      'verified',
      'verified',
      'verified',
    ]);
    // The writer's next frame takes the place of 3.
    expect(reader.oldest).toBe(4);
  });

  it('is torn while it is written', () => {
    const { writer, reader } = ring();
    publish(writer, 1, 2, 3, 4);
    let seen = '';
    writer.publish(() => {
      seen = `${reader.read(1).kind} ${reader.read(5).kind} ${reader.published}`;
      return 0;
    }, 0);
    expect(seen).toBe('torn torn 4');
    expect(reader.read(5).kind).toBe('verified');
  });

  it('stays torn when its writer died in the middle', () => {
    const { writer, reader } = ring();
    expect(() =>
      writer.publish(() => {
        throw new Error('died');
      }, 0),
    ).toThrow('died');
    expect([reader.published, reader.read(1).kind]).toEqual([0, 'torn']);
  });

  it('tells that it was overwritten while it was used', () => {
    const { writer, reader } = ring();
    publish(writer, 1);
    expect(reader.holds(1)).toBe(true);
    publish(writer, 2, 3, 4, 5);
    expect(reader.holds(1)).toBe(false);
  });

  it.each([
    ['payload', frameHeadBytes + 3],
    ['timestamp', frameAt.timestamp],
    ['sequence', frameAt.sequence],
    ['checksum', frameAt.checksum],
  ])('with a changed %s is corrupt', (_name, at) => {
    const { view, writer, reader } = ring();
    publish(writer, 1);
    view.setUint8(headerBytes + at, view.getUint8(headerBytes + at) ^ 0x40);
    expect(reader.read(1).kind).toBe('corrupt');
  });

  it('that claims to be longer than a frame leads nobody out of it', () => {
    const { view, writer, reader } = ring();
    publish(writer, 1);
    view.setUint32(headerBytes + frameAt.payloadBytes, 4_000_000_000, true);
    expect(reader.read(1).kind).toBe('corrupt');
  });

  it('refuses a payload that does not fit', () => {
    const { writer } = ring();
    expect(() => writer.publish(() => 97, 0)).toThrow('frame 1: a payload of 97 bytes, possible are 0 to 96');
  });
});

describe('a ring', () => {
  it('is recognised by its magic', () => {
    const { bytes, view } = ring();
    view.setUint32(headerAt.magic, 0x12345678, true);
    expect(() => new FrameReader(bytes)).toThrow('frame ring: magic 0x12345678, not 0x3152464e');
    expect(() => new FrameReader(new Uint8Array(headerBytes))).toThrow('magic 0x0');
  });

  it.each<[string, number, number, string]>([
    ['another version', headerAt.version, 9, 'frame ring: version 9, this reader knows 1'],
    [
      'more frames than bytes',
      headerAt.frameCount,
      5,
      '5 frames of 128 bytes need 4736 bytes, there are 4608',
    ],
    ['one frame', headerAt.frameCount, 1, 'at least 2 frames are needed, found 1'],
    ['crooked frames', headerAt.frameBytes, 100, 'a multiple of 8 bytes above 32, found 100'],
  ])('with %s is refused', (_name, at, value, message) => {
    const { bytes, view } = ring();
    view.setUint32(at, value, true);
    expect(() => new FrameReader(bytes)).toThrow(message);
  });

  it('needs a whole header', () => {
    expect(() => new FrameReader(new Uint8Array(100))).toThrow('100 bytes, the header alone has 4096');
  });
});
