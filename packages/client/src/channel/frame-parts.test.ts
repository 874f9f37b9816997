import type { FramePart } from '@nautilus/bus';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameAssembler, slicesOf } from './frame-parts.ts';

const frameBytes = 40;
const stream = 's-00000001';
const pattern = (sequence: number, length: number) =>
  Uint8Array.from({ length }, (_, index) => (sequence * 31 + index * 7) & 255);

interface Sent {
  readonly part: FramePart;
  readonly bytes: Uint8Array;
}

function send(sequence: number, length: number, largest: number): Sent[] {
  const bytes = pattern(sequence, length);
  return slicesOf(length, largest).map(({ part, parts, begin, end }) => ({
    part: { stream, sequence: sequence >>> 0, part, parts, length },
    bytes: bytes.subarray(begin, end),
  }));
}

describe('frames in parts', () => {
  it('come out whole or are counted, whatever is lost on the way, also where the sequence wraps', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.integer({ min: 0, max: frameBytes }), { minLength: 1, maxLength: 20 }),
        fc.infiniteStream(fc.boolean()),
        (first, largest, lengths, losses) => {
          const assembler = new FrameAssembler({ stream, sequence: first, frameBytes });
          const arrived: number[] = [];
          let lastOfAll = -1;
          for (const [index, length] of lengths.entries()) {
            const sequence = (first + index) | 0;
            const sent = send(sequence, length, largest);
            const kept = sent.filter(() => losses.next().value !== true);
            for (const { part, bytes } of kept) {
              lastOfAll = index;
              const frame = assembler.take(part, bytes);
              if (frame === null) continue;
              expect(frame.sequence).toBe(sequence);
              expect(frame.bytes).toEqual(pattern(sequence, length));
              expect(kept).toHaveLength(sent.length);
              arrived.push(index);
            }
            if (kept.length === sent.length) expect(arrived.at(-1)).toBe(index);
          }
          // What was lost at the very end shows with the next frame that arrives.
          const [next] = send((first + lengths.length) | 0, 1, largest);
          if (next !== undefined) assembler.take(next.part, next.bytes);
          expect(assembler.dropped).toBe(lengths.length - arrived.length);
          expect(lastOfAll).toBeLessThan(lengths.length);
        },
      ),
    );
  });

  it('of another stream, from before the start, or longer than the channel has them, are not taken', () => {
    const assembler = new FrameAssembler({ stream, sequence: 5, frameBytes });
    const part = { stream, sequence: 5, part: 0, parts: 1, length: 1 };
    expect(assembler.take({ ...part, stream: 's-00000002' }, Uint8Array.of(1))).toBeNull();
    expect(assembler.take({ ...part, sequence: 4 }, Uint8Array.of(1))).toBeNull();
    expect(assembler.dropped).toBe(0);
    expect(assembler.take({ ...part, length: 2 ** 40, parts: 9 }, Uint8Array.of(1))).toBeNull();
    expect(assembler.dropped).toBe(1);
    expect(assembler.take({ ...part, sequence: 6 }, Uint8Array.of(7))).toEqual({
      sequence: 6,
      bytes: Uint8Array.of(7),
    });
  });

  it('that could not make up their frame reserve no memory for it', () => {
    const assembler = new FrameAssembler({ stream, sequence: 0, frameBytes: 2 ** 53 });
    const impossible = { stream, sequence: 0, part: 0, parts: 2, length: 999_999_999_999_999 };
    expect(assembler.take(impossible, Uint8Array.of(1))).toBeNull();
    expect(assembler.take({ ...impossible, sequence: 1 }, new Uint8Array())).toBeNull();
    expect(assembler.dropped).toBe(2);
  });

  it('that contradict each other are one lost frame', () => {
    for (const second of [
      { part: 1, parts: 3, length: 4 },
      { part: 1, parts: 2, length: 5 },
      { part: 2, parts: 3, length: 4 },
    ]) {
      const assembler = new FrameAssembler({ stream, sequence: 0, frameBytes });
      expect(assembler.take({ stream, sequence: 0, part: 0, parts: 2, length: 4 }, pattern(0, 2))).toBeNull();
      expect(assembler.take({ stream, sequence: 0, ...second }, pattern(0, 2))).toBeNull();
      expect(assembler.dropped).toBe(1);
    }
  });
});
