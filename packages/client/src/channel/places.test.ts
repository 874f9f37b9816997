import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mayHavePlace } from './places.ts';

const names = ['a', 'b', 'c', 'd'];
const requests = fc.array(fc.constantFrom(...names), { maxLength: 40 });

/** Everyone asks in this order, and gets a place if it may and one is free. */
function admitted(readers: string[] | 'any', maximum: number, order: readonly string[]): string[] {
  const holders: string[] = [];
  for (const subscriber of order) {
    const answer = mayHavePlace({ channel: 'quotes', readers, maximum, holders }, subscriber);
    if (answer.ok && holders.length < maximum) holders.push(subscriber);
  }
  return holders;
}

describe('the places of a channel', () => {
  it('leave one for every named reader, in whatever order they are asked for', () => {
    fc.assert(
      fc.property(requests, fc.integer({ min: 4, max: 12 }), (order, maximum) => {
        expect(new Set(admitted(names, maximum, [...order, ...names]))).toEqual(new Set(names));
      }),
    );
  });

  it('are all for a reader that is alone', () => {
    expect(admitted(['a'], 8, new Array(20).fill('a'))).toHaveLength(8);
  });

  it('are at most half of them one container, when anybody may read', () => {
    for (const [maximum, most] of [
      [1, 1],
      [2, 1],
      [7, 4],
      [8, 4],
    ] as const)
      expect(admitted('any', maximum, new Array(20).fill('a'))).toHaveLength(most);
  });

  it('are refused with what is missing', () => {
    const places = { channel: 'quotes', readers: ['a', 'b'], maximum: 3, holders: ['a', 'a'] };
    expect(mayHavePlace(places, 'b')).toMatchObject({ ok: true });
    expect(mayHavePlace(places, 'a')).toMatchObject({
      fault: { code: 'over_budget', message: expect.stringContaining('1 of its readers') },
    });
    const open = { ...places, readers: 'any' as const, maximum: 4 };
    expect(mayHavePlace(open, 'a')).toMatchObject({ fault: { code: 'over_budget', details: { limit: 4 } } });
  });
});
