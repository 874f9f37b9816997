import { describe, expect, it } from 'vitest';
import {
  acknowledge,
  advanceAttention,
  endSilence,
  mostSilences,
  noAttention,
  silence,
} from './attention.ts';
import { inhibit, type RaisedAlert } from './inhibit.ts';

const alert = (name: string, with_: Partial<RaisedAlert> = {}): RaisedAlert => ({
  alert: name,
  host: 'h1',
  signal: 'memory-pressure',
  scope: { kind: 'container', name },
  tier: 'critical',
  raisedAt: 0,
  ...with_,
});
const host = (with_: Partial<RaisedAlert> = {}) =>
  alert('h1', { scope: { kind: 'host', name: 'h1' }, ...with_ });
const roots = (raised: readonly RaisedAlert[]) =>
  inhibit(raised, (_, pool) => (pool === 'p' ? 'r' : undefined)).flatMap((one) =>
    one.inhibitedBy === null ? [one.alert.alert] : [],
  );

describe('inhibition', () => {
  it.each<[string, RaisedAlert[], string[]]>([
    ['a host speaks for its containers', [alert('a', { raisedAt: 9e9 }), host()], ['h1']],
    [
      'not for one that is worse than it',
      [alert('a', { tier: 'emergency', raisedAt: 9e9 }), host()],
      ['a', 'h1'],
    ],
    ['not for another host', [alert('a', { host: 'h2', raisedAt: 9e9 }), host()], ['h1', 'a']],
    ['not for another trouble', [alert('a', { signal: 'device-fallback' }), host()], ['h1', 'a']],
    [
      'a silent host speaks for all of it',
      [
        host({ tier: 'emergency' }),
        alert('s', { signal: 'host-silent', scope: { kind: 'host', name: 'h1' } }),
      ],
      ['s'],
    ],
    [
      'a region speaks for its pools',
      [
        alert('p', { scope: { kind: 'pool', name: 'p' }, raisedAt: 9e9 }),
        alert('r', { scope: { kind: 'region', name: 'r' } }),
      ],
      ['r'],
    ],
    [
      'not for others',
      [
        alert('q', { scope: { kind: 'pool', name: 'q' }, raisedAt: 9e9 }),
        alert('r', { scope: { kind: 'region', name: 'r' } }),
      ],
      ['r', 'q'],
    ],
    [
      'what stalls speaks for what is full',
      [host(), alert('stall', { signal: 'memory-stall', scope: { kind: 'host', name: 'h1' } })],
      ['stall'],
    ],
    ['containers hours apart are two incidents', [alert('a'), alert('b', { raisedAt: 9e9 })], ['a', 'b']],
  ])('%s', (_, raised, expected) => {
    expect(roots(raised)).toEqual(expected);
    expect(roots([...raised].reverse())).toEqual(expected);
  });
});

describe('attention', () => {
  it('is asked once for sixteen containers at once (drill 16), whoever clears first', () => {
    const sixteen = Array.from({ length: 16 }, (_, index) => alert(`c${index}`, { raisedAt: index * 1_000 }));
    let state = noAttention;
    const told: string[] = [];
    const look = (raised: readonly RaisedAlert[], now: number) => {
      const step = advanceAttention(state, inhibit(raised), now);
      state = step.state;
      told.push(...step.notify.map((one) => one.alert.alert));
      return step;
    };
    for (let count = 1; count <= 16; count += 1) look(sixteen.slice(0, count), count * 1_000);
    // The root clears while the others stay: they were told with it.
    expect(look(sixteen.slice(1), 30_000).quiet).toHaveLength(15);
    look([...sixteen.slice(1), host({ raisedAt: 31_000 })], 31_000);
    expect(told).toEqual(['c0', 'h1']);
    expect(look([], 60_000).state.known).toEqual({});
  });

  it('comes back when a tier rises above what was told or acknowledged, and not before', () => {
    const first = advanceAttention(noAttention, inhibit([alert('a')]), 0);
    expect(first.notify).toHaveLength(1);
    const known = acknowledge(first.state, 'a', { tier: 'critical', by: 'ann', at: 1 });
    if (known === null) throw new Error('refused');
    const second = advanceAttention(known, inhibit([alert('a')]), 2);
    expect(second.quiet).toEqual([{ alert: 'a', reason: 'acknowledged by ann' }]);
    expect(
      advanceAttention(second.state, inhibit([alert('a', { tier: 'emergency' })]), 3).notify,
    ).toHaveLength(1);
    expect(acknowledge(first.state, 'b', { tier: 'info', by: 'ann', at: 1 })).toBeNull();
  });

  it('is not asked in a silence, except for EMERGENCY, and is asked when the silence ends', () => {
    const wanted = {
      id: '1',
      host: 'h1',
      untilMs: 100,
      by: 'ann',
      reason: 'deploy',
      includesEmergency: false,
    };
    const silent = silence(noAttention, wanted, 0);
    if (typeof silent === 'string') throw new Error(silent);
    const look = (raised: RaisedAlert, now: number, state = silent) =>
      advanceAttention(state, inhibit([raised]), now).notify;
    expect(look(alert('a'), 50)).toEqual([]);
    expect(look(alert('a', { tier: 'emergency' }), 50)).toHaveLength(1);
    expect(look(alert('a', { host: 'h2' }), 50)).toHaveLength(1);
    expect(look(alert('a'), 100)).toHaveLength(1);
    expect(look(alert('a'), 50, endSilence(silent, '1'))).toHaveLength(1);
  });

  it('refuses silences that have ended, last for ever, or are too many', () => {
    const wanted = { id: '1', untilMs: 100, by: 'ann', reason: 'x', includesEmergency: false };
    expect(silence(noAttention, wanted, 100)).toContain('not in the future');
    expect(silence(noAttention, { ...wanted, untilMs: Number.NaN }, 0)).toContain('not in the future');
    expect(silence(noAttention, { ...wanted, untilMs: 1e13 }, 0)).toContain('30 days');
    const full = {
      ...noAttention,
      silences: Array.from({ length: mostSilences }, (_, index) => ({ ...wanted, id: `s${index}` })),
    };
    expect(silence(full, wanted, 0)).toContain('already');
  });
});
