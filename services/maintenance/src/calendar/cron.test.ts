import { NautilusError } from '@nautilus/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCalendar } from './cron.ts';

const at = (text: string) => Date.parse(text);
const iso = (instants: readonly (number | null)[]) =>
  instants.map((instant) => (instant === null ? null : new Date(instant).toISOString()));

describe('createCalendar', () => {
  it('counts a slot at the very instant as reached, not as next', () => {
    const daily = createCalendar('0 2 * * *', 'UTC', 'clean_up');
    const slot = at('2026-11-22T02:00:00Z');
    expect(iso(daily.latest(slot, 2))).toEqual(['2026-11-22T02:00:00.000Z', '2026-11-21T02:00:00.000Z']);
    expect(iso(daily.latest(slot - 1, 1))).toEqual(['2026-11-21T02:00:00.000Z']);
    expect(iso([daily.next(slot), daily.next(slot - 1)])).toEqual([
      '2026-11-23T02:00:00.000Z',
      '2026-11-22T02:00:00.000Z',
    ]);
  });

  it.each([
    {
      title: 'in the gap of spring once, at its end',
      after: '2026-03-08T05:00:00Z',
      slot: '2026-03-08T07:00:00.000Z',
    },
    { title: 'on the day after', after: '2026-03-08T07:00:00Z', slot: '2026-03-09T06:00:00.000Z' },
    { title: 'in autumn', after: '2026-11-01T05:00:00Z', slot: '2026-11-01T07:00:00.000Z' },
  ])('02:00 in New York: $title', ({ after, slot }) => {
    const daily = createCalendar('0 2 * * *', 'America/New_York', 'clean_up');
    expect(iso([daily.next(at(after))])).toEqual([slot]);
  });

  it('runs 01:30 of the doubled hour once', () => {
    const daily = createCalendar('30 1 * * *', 'America/New_York', 'clean_up');
    const first = daily.next(at('2026-11-01T04:00:00Z'));
    expect(iso([first, daily.next(first ?? 0)])).toEqual([
      '2026-11-01T05:30:00.000Z',
      '2026-11-02T06:30:00.000Z',
    ]);
  });

  it('knows when a pattern has no slot', () => {
    const never = createCalendar('0 0 31 2 *', 'UTC', 'clean_up');
    expect([never.next(0), never.latest(at('2026-01-01T00:00:00Z'), 3)]).toEqual([null, []]);
  });

  it('looks backwards and forwards to the same slots, in every zone and season', () => {
    const patterns = ['0 2 * * *', '30 1 * * *', '*/20 * * * *', '0 3 * * 0', '15 2 1 * *'];
    const zones = ['UTC', 'America/New_York', 'Europe/Berlin', 'Australia/Lord_Howe', 'Asia/Kolkata'];
    const instant = fc.integer({ min: at('2026-01-01T00:00:00Z'), max: at('2027-12-31T00:00:00Z') });
    fc.assert(
      fc.property(fc.constantFrom(...patterns), fc.constantFrom(...zones), instant, (pattern, zone, now) => {
        const calendar = createCalendar(pattern, zone, 'clean_up');
        const [newest, older] = calendar.latest(now, 2);
        if (newest === undefined || older === undefined) throw new Error('two slots were expected');
        expect(newest).toBeLessThanOrEqual(now);
        expect(iso([calendar.next(older)])).toEqual(iso([newest]));
        expect(calendar.next(newest)).toBe(calendar.next(now));
      }),
      { numRuns: 150 },
    );
  });

  it.each([
    { pattern: 'every day', timezone: 'UTC' },
    { pattern: '0 2 * * *', timezone: 'Mars/Olympus' },
    { pattern: '0 25 * * *', timezone: 'UTC' },
  ])('refuses "$pattern" in $timezone, and names the key', ({ pattern, timezone }) => {
    expect(() => createCalendar(pattern, timezone, 'clean_up')).toThrow(NautilusError);
    expect(() => createCalendar(pattern, timezone, 'clean_up')).toThrow(
      /maintenance\.clean_up: ".*" in time zone/,
    );
  });
});
