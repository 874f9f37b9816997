import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { granuleBytes } from './granule.ts';
import { type Claim, serve } from './share.ts';

const granules = (count: number) => count * granuleBytes;

describe('serve', () => {
  it.each([
    { available: 10, asks: [4, 4], gets: [4, 4], left: 2 },
    { available: 6, asks: [4, 8], gets: [2, 4], left: 0 },
    { available: 5, asks: [3, 3, 3], gets: [1, 2, 2], left: 0 },
    { available: 0, asks: [3], gets: [0], left: 0 },
    { available: 7, asks: [0, 7], gets: [0, 7], left: 0 },
  ])('deals $available granules to equals that ask $asks', ({ available, asks, gets, left }) => {
    const claims = asks.map((ask, index) => ({ name: `c${index}`, rank: 0, bytes: granules(ask) }));
    const served = serve(granules(available), claims);
    expect(claims.map(({ name }) => served.given.get(name))).toEqual(gets.map(granules));
    expect(served.left).toBe(granules(left));
  });

  it('serves a smaller rank wholly before the next one gets anything', () => {
    const served = serve(granules(5), [
      { name: 'late', rank: 2, bytes: granules(5) },
      { name: 'first', rank: 0, bytes: granules(4) },
    ]);
    expect([served.given.get('first'), served.given.get('late')]).toEqual([granules(4), granules(1)]);
  });

  const claims = fc
    .uniqueArray(fc.record({ name: fc.string(), rank: fc.nat(4), bytes: fc.nat(2 ** 31).map(granules) }), {
      selector: (claim) => claim.name,
      maxLength: 30,
    })
    .map((list): readonly Claim[] => list);

  it('never deals more than asked or available, and leaves nothing while someone lacks', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 36), claims, (available, list) => {
        const { given, left } = serve(available * 1024, list);
        const dealt = list.reduce((sum, { name }) => sum + (given.get(name) ?? Number.NaN), 0);
        expect(dealt + left).toBe(Math.floor((available * 1024) / granuleBytes) * granuleBytes);
        for (const { name, bytes } of list) {
          const got = given.get(name) ?? Number.NaN;
          expect(got % granuleBytes).toBe(0);
          expect(got).toBeLessThanOrEqual(bytes);
          if (got < bytes) expect(left).toBe(0);
        }
      }),
    );
  });

  it('gives equals their proportion to within the rounding', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 10_000 }), { minLength: 2, maxLength: 12 }),
        fc.double({ min: 0.1, max: 0.99, noNaN: true }),
        (asks, share) => {
          const total = asks.reduce((sum, ask) => sum + ask, 0);
          const available = Math.floor(total * share);
          const list = asks.map((ask, index) => ({ name: `c${index}`, rank: 0, bytes: granules(ask) }));
          const { given } = serve(granules(available), list);
          for (const { name, bytes } of list) {
            const ideal = (bytes / granuleBytes) * (available / total);
            expect(Math.abs((given.get(name) ?? Number.NaN) / granuleBytes - ideal)).toBeLessThan(
              asks.length,
            );
          }
        },
      ),
    );
  });
});
