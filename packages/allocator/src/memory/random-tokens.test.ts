import { describe, expect, it } from 'vitest';
import { RandomTokens } from './random-tokens.ts';

describe('RandomTokens', () => {
  it('never repeats, over many blocks of randomness', () => {
    const tokens = new RandomTokens();
    const seen = new Set(Array.from({ length: 5000 }, () => tokens.next(8, 'hex')));
    expect(seen.size).toBe(5000);
    for (const token of seen) expect(token).toMatch(/^[0-9a-f]{16}$/);
  });

  it('never hands out wiped bytes', () => {
    const tokens = new RandomTokens();
    for (let turn = 0; turn < 2000; turn += 1) expect(tokens.next(24, 'base64url')).not.toBe('A'.repeat(32));
  });
});
