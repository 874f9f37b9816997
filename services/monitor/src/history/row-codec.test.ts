/** Rows survive the way there and back whatever they hold, and damaged bytes are refused and not believed. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RowDecoder, RowEncoder } from './row-codec.ts';
import { DamagedBytes } from './varint.ts';

const value = fc.oneof(
  { weight: 6, arbitrary: fc.maxSafeNat() },
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 300 }) },
  { weight: 2, arbitrary: fc.constant(Number.NaN) },
  { weight: 2, arbitrary: fc.double() },
  { weight: 1, arbitrary: fc.constantFrom(-0, Number.POSITIVE_INFINITY, Number.MIN_SAFE_INTEGER, 2 ** 60) },
);
const rows = fc.array(fc.tuple(fc.nat(4_000_000_000_000), fc.array(value, { maxLength: 12 })), {
  maxLength: 20,
});

describe('a row', () => {
  it('is the same behind the codec, in any company', () => {
    fc.assert(
      fc.property(rows, (given) => {
        const encoder = new RowEncoder();
        const decoder = new RowDecoder();
        let series = 0;
        for (const [at, values] of given) {
          series = Math.max(series, values.length);
          const row = decoder.decode(encoder.encode({ at, values }));
          const expected = Array.from({ length: series }, (_, index) => values[index] ?? Number.NaN);
          expect(row).toEqual({ at, values: expected });
        }
      }),
    );
  });

  it('that says nothing new is a few bytes', () => {
    const encoder = new RowEncoder();
    const values = Array.from({ length: 250 }, (_, index) => index * 1_000_003);
    encoder.encode({ at: 1_700_000_000_000, values });
    expect(encoder.encode({ at: 1_700_000_001_000, values }).length).toBeLessThan(10);
  });

  it('of any bytes is refused or read, and never hangs or crashes', () => {
    let refused = 0;
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          new RowDecoder().decode(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(DamagedBytes);
          refused += 1;
        }
      }),
      { numRuns: 2000 },
    );
    expect(refused).toBeGreaterThan(1000);
  });
});
