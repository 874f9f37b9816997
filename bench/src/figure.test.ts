import { describe, expect, it } from 'vitest';
import { atLeast, atMost, quantile, ratioAtMost, renderTable } from './figure.ts';

describe('quantile()', () => {
  it('takes the nearest rank', () => {
    const samples = Array.from({ length: 1000 }, (_, index) => 1000 - index);
    expect(quantile(samples, 0.5)).toBe(500);
    expect(quantile(samples, 0.999)).toBe(999);
    expect(quantile([7], 0.999)).toBe(7);
  });
  it('has no answer for nothing', () => {
    expect(() => quantile([], 0.5)).toThrow(RangeError);
  });
});

describe('figures', () => {
  it('are met up to their goal and missed above it', () => {
    expect(atMost('a', 2, 'ms', 2).ok).toBe(true);
    expect(atMost('a', 2.01, 'ms', 2).ok).toBe(false);
    expect(ratioAtMost('b', 3, 2, 'ms', 1.5)).toMatchObject({ ratio: 1.5, ok: true });
    expect(ratioAtMost('b', 3.1, 2, 'ms', 1.5).ok).toBe(false);
  });
  it('that are to be reached are met from their goal on', () => {
    expect(atLeast('c', 98, '%', 98).ok).toBe(true);
    expect(atLeast('c', 97.9, '%', 98).ok).toBe(false);
    expect(renderTable([atLeast('c', 97.9, '%', 98)])).toContain('≥ 98 %');
  });
  it('say MISSED in the table', () => {
    expect(renderTable([atMost('a', 3, 'ms', 2)])).toContain('MISSED');
    expect(renderTable([{ ...atMost('a', 3, 'ms', 2), why: 'too far' }])).toContain('MISSED: too far');
  });
});
