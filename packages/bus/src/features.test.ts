import { NautilusError } from '@nautilus/contracts';
import { describe, expect, test } from 'vitest';
import { assertServer, type Feature, featureTable, isAtLeast } from './features.ts';

describe('versions compare as numbers', () => {
  test.each([
    ['2.9.10', '2.9.4', true],
    ['2.9.4', '2.9.4', true],
    ['2.9.3', '2.9.4', false],
    ['2.10.0', '2.9.10', true],
    ['3.0.0', '2.11.0', true],
    ['2.11.0-preview.2', '2.11.0', true],
    ['', '2.0.0', false],
    ['nonsense', '2.0.0', false],
  ])('%s is at least %s: %s', (version, needed, expected) => {
    expect(isAtLeast(version, needed)).toBe(expected);
  });
});

const lackedBy29: Feature[] = ['per-key-ttl', 'marker-ttl', 'multi-filter', 'metadata'];

describe('a server that is too old is refused', () => {
  test.each(Object.keys(featureTable) as Feature[])('%s on 2.9.10', (feature) => {
    if (!lackedBy29.includes(feature)) {
      expect(() => assertServer('2.9.10', [feature])).not.toThrow();
      return;
    }
    const { since } = featureTable[feature];
    try {
      assertServer('2.9.10', ['jetstream', feature]);
      expect.unreachable('it should have thrown');
    } catch (error) {
      expect(error).toBeInstanceOf(NautilusError);
      const refusal = error as NautilusError;
      expect(refusal.code).toBe('server_too_old');
      expect(refusal.details).toEqual({ feature, needed: since, found: '2.9.10' });
      for (const said of [feature, since, '2.9.10']) expect(refusal.message).toContain(said);
    }
  });

  test('everything is there on 2.12', () => {
    expect(() => assertServer('2.12.1', Object.keys(featureTable) as Feature[])).not.toThrow();
  });
});
