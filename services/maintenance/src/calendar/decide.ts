/**
 * What to do about the slots since the last one that was decided: the newest is run if it is young enough, the others
 * are skipped with a reason. Decided from the ledger and the clock alone, so it is the same after a restart, a sleep of
 * the machine and a jump of the clock.
 */
import { formatDuration } from '@nautilus/contracts';
import type { Calendar, CalendarDecision, CalendarRules, Hold, SkippedSlot } from './types.ts';

/** A pattern of seconds over a long outage misses more slots than anyone reads. */
export const longestList = 100;

export function decideSlots(
  calendar: Calendar,
  lastSlot: number | null,
  now: number,
  rules: CalendarRules,
  hold: Hold | null = null,
): CalendarDecision {
  if (lastSlot === null) {
    return beginAt(calendar, now, 'the calendar of this host begins here; only later slots are run');
  }
  if (lastSlot > now + Math.max(rules.catchUpMs, rules.graceMs)) {
    const ahead = inSeconds(lastSlot - now);
    return beginAt(calendar, now, `the ledger is ${ahead} ahead of the clock; the calendar begins anew`);
  }
  const nextAt = calendar.next(Math.max(now, lastSlot));
  const missed = slotsSince(calendar, lastSlot, now);
  const newest = missed[0];
  if (newest === undefined) return { run: null, skipped: [], waiting: null, begin: null, nextAt };

  const ageMs = now - newest;
  const isYoung = ageMs <= Math.max(rules.catchUpMs, rules.graceMs);
  if (isYoung && hold?.kind === 'wait') {
    return { run: null, skipped: [], waiting: { slot: newest, reason: hold.reason }, begin: null, nextAt };
  }
  const isRun = isYoung && hold === null;
  const skipped = missed
    .slice(isRun ? 1 : 0, longestList)
    .map((slot): SkippedSlot => ({ slot, reason: whySkipped(slot) }))
    .reverse();
  const oldest = skipped[0];
  if (missed.length > longestList && oldest !== undefined) {
    skipped[0] = { slot: oldest.slot, reason: `${oldest.reason}; so were all earlier ones` };
  }
  const trigger = ageMs <= rules.graceMs ? 'schedule' : 'catch-up';
  return { run: isRun ? { slot: newest, trigger } : null, skipped, waiting: null, begin: null, nextAt };

  function whySkipped(slot: number): string {
    if (isRun) return 'missed; a newer slot is run instead';
    return isYoung && hold !== null ? hold.reason : tooOld(slot);
  }

  function tooOld(slot: number): string {
    return `missed by ${inSeconds(now - slot)}, longer than ${formatDuration(rules.catchUpMs)}`;
  }
}

/** Newest first. Most looks find none or one, and a year of a pattern takes long to walk: asked in growing steps. */
function slotsSince(calendar: Calendar, lastSlot: number, now: number): readonly number[] {
  for (let count = 2; ; count = Math.min(count * 8, longestList + 1)) {
    const found = calendar.latest(now, count);
    const missed = found.filter((slot) => slot > lastSlot);
    if (missed.length < count || count > longestList) return missed;
  }
}

function beginAt(calendar: Calendar, now: number, reason: string): CalendarDecision {
  return { run: null, skipped: [], waiting: null, begin: { slot: now, reason }, nextAt: calendar.next(now) };
}

function inSeconds(durationMs: number): string {
  return formatDuration(Math.round(durationMs / 1000) * 1000);
}
