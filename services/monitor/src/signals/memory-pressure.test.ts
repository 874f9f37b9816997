/** Which share of which limit is read, and what a person is told about it. */
import { describe, expect, it } from 'vitest';
import type { Transition } from '../ladder/ladder.ts';
import { sampleOf } from '../testing/sample.ts';
import { defaultSettings } from '../testing/settings.ts';
import { memoryPressureSignal, readMemory } from './memory-pressure.ts';

const shareOf = (sample: Parameters<typeof readMemory>[0], kind: string) =>
  readMemory(sample).find(({ scope }) => scope.kind === kind)?.value;

describe('the memory that is read from a sample', () => {
  it('is a share of the limit of each scope, the widest scope first', () => {
    const read = readMemory(sampleOf({ hostShare: 0.75, containerShare: 0.5 }));
    expect(read.map(({ scope, value }) => [scope.kind, scope.name, value])).toEqual([
      ['host', 'h1', 0.75],
      ['region', 'neural-engine', 2 / 32],
      ['pool', 'ml-models', 2 / 16],
      // Of what it may grow to, not of today's budget: a budget that follows use is always nearly full.
      ['container', 'ml-engine', 0.5],
    ]);
  });

  it('is unknown where nothing is leased from a limit of nothing, and full where something is', () => {
    const sample = sampleOf();
    const limited = (leasedBytes: number) => ({
      ...sample,
      regions: [{ name: 'none', capacityBytes: 0, leasedBytes }],
    });
    expect(shareOf(limited(0), 'region')).toBeNaN();
    expect(shareOf(limited(1), 'region')).toBe(1);
  });
});

describe('the text of an alert', () => {
  const [, , , container] = readMemory(sampleOf({ containerShare: 0.92 }));
  const told = (change: Partial<Transition>) => {
    if (container === undefined) throw new Error('the sample has a container');
    const raised: Transition = {
      state: 'raised',
      tier: 'critical',
      previousTier: null,
      threshold: 0.9,
      value: 0.92,
      at: 0,
      incident: '0',
      number: 1,
    };
    return memoryPressureSignal.describe(container, { ...raised, ...change }, defaultSettings);
  };

  it('names value, bytes, threshold and what to do', () => {
    expect(told({})).toBe(
      'Memory of container ml-engine is 92% full: 3.7GiB of 4GiB. CRITICAL: at or above 90%. ' +
        'Ask it to release segments it no longer uses, or raise containers.ml-engine.max.',
    );
  });

  it('says for how long the value stayed below the line when it steps down or clears', () => {
    expect(told({ state: 'lowered', tier: 'warning', threshold: 0.85 })).toContain(
      'Down to WARNING: below 85% for 10s.',
    );
    expect(told({ state: 'cleared', tier: 'info', threshold: 0.55 })).toContain(
      'Cleared: below 55% for 10s.',
    );
  });
});
