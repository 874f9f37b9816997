/** A small version of `npm run sim:calendar`, and that its audit finds what it is there to find. */
import type { JobRun, ScheduleRecord, SlotEnding } from '@nautilus/contracts';
import { describe, expect, it } from 'vitest';
import { createCalendar } from '../calendar/cron.ts';
import { Audit } from './audit.ts';
import { simulate } from './simulate.ts';
import { zones } from './zones.ts';

describe('half a simulated year', () => {
  it.each(zones.map((zone, index) => ({ zone, seed: 77 + index })))('in $zone', async ({ zone, seed }) => {
    const { jobs, faults, wrong } = await simulate(zone, 0.5, seed);
    for (const tally of Object.values(jobs)) {
      expect(tally).toMatchObject({ duplicates: 0, silent: 0, datesWithoutSlot: 0 });
    }
    expect(wrong).toEqual({ afterItsEnd: 0, inEmergency: 0 });
    // It is no proof when nothing went wrong on the way.
    expect(jobs['daily']?.done).toBeGreaterThan(40);
    for (const count of Object.values(faults)) expect(count).toBeGreaterThan(0);
  });
});

describe('the audit', () => {
  const day = 86_400_000;
  const calendar = createCalendar('0 2 * * *', 'UTC', 'clean_up');
  const at = (days: number) => days * day + 2 * 3_600_000;
  const ending = (slot: number, finishedAt = slot, reason: string | null = null): SlotEnding => ({
    slot,
    outcome: reason === null ? 'done' : 'skipped',
    reason,
    finishedAt,
  });
  const record = (...endings: SlotEnding[]): ScheduleRecord => ({
    lastSlot: endings.at(-1)?.slot ?? 0,
    lastRun: {} as JobRun,
    endings,
    failuresInRow: 0,
  });
  const begun = ending(at(1) - 1, 1, 'the calendar of this host begins here; only later slots are run');

  it('finds a slot that ended twice', () => {
    const audit = new Audit();
    audit.take(record(begun, ending(at(1)), ending(at(1), at(1) + 5)));
    expect(audit.tally(calendar, at(1) + 1, null)).toMatchObject({ duplicates: 1, silent: 0 });
  });

  it('finds a slot without an ending, and its date', () => {
    const audit = new Audit();
    audit.take(record(begun, ending(at(1)), ending(at(2)), ending(at(4)), ending(at(5))));
    expect(audit.tally(calendar, at(5) + 1, 'UTC')).toMatchObject({
      slots: 5,
      silent: 1,
      datesWithoutSlot: 1,
    });
  });
});
