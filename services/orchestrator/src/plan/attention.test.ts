import { describe, expect, it } from 'vitest';
import { containerOf, hostOf, urgency } from './attention.ts';

describe('urgency', () => {
  const known = new Set(['h1.a', 'h1']);
  it.each([
    {
      title: 'a refusal',
      news: { key: 'h1.a', refusedBytes: 5 },
      frozen: [],
      why: 'h1.a was refused 5 bytes',
    },
    { title: 'a new container', news: { key: 'h1.b', refusedBytes: 0 }, frozen: [], why: 'h1.b is new' },
    { title: 'a new host', news: { key: 'h2', refusedBytes: 0 }, frozen: [], why: 'h2 is new' },
    {
      title: 'a host that is back',
      news: { key: 'h1', refusedBytes: 0 },
      frozen: ['h1'],
      why: 'h1 reports again',
    },
    { title: 'not the same as before', news: { key: 'h1.a', refusedBytes: 0 }, frozen: [], why: null },
    { title: 'not another frozen host', news: { key: 'h1', refusedBytes: 0 }, frozen: ['h2'], why: null },
  ])('$title', ({ news, frozen, why }) => {
    expect(urgency(news, known, new Set(frozen))).toBe(why);
  });
});

describe('keys', () => {
  it('are taken apart at the first dot', () => {
    expect([hostOf('h1.web--2e1'), containerOf('h1.web--2e1'), hostOf('h1')]).toEqual([
      'h1',
      'web--2e1',
      'h1',
    ]);
  });
});
