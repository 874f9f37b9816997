/** Which window of the floors speaks, and what it is not allowed to say because of the others. */
import type { Floor, LeakEvidence, LeakJudgement, LeakVerdict } from './leak.ts';
import { withoutLoad } from './load.ts';
import { hourMs, type LeakRule } from './rule.ts';
import { type Weighed, weighWindow } from './window.ts';

const verdicts: readonly LeakVerdict[] = ['none', 'suspected', 'confirmed'];

const unknown = (floorPoints: number): LeakEvidence => ({
  floorRiseBytesPerHour: null,
  floorPoints,
  windows: 0,
  consistentShare: 0,
  spanMs: 0,
  timeToLimitMs: null,
  loadNormalised: false,
});

/** The window with the strongest verdict speaks; among equals the longest, which rests on the most. */
export function weighFloors(
  floors: readonly Floor[],
  limitBytes: number | null,
  rule: LeakRule,
): LeakJudgement {
  // The price of load is taken from all that is known: a short window may lie where load hardly changes.
  const normalised = withoutLoad(floors);
  const weighed = rule.windowsMs.flatMap((spanMs) => weighWindow(normalised, spanMs, limitBytes, rule) ?? []);
  const first = weighed[0];
  if (first === undefined) {
    const shortest = Math.min(...rule.windowsMs) / hourMs;
    const reason = `${floors.length} floors are known; ${shortest} h without larger gaps are needed`;
    return { verdict: 'none', evidence: unknown(floors.length), reason, healthyLevelBytes: null };
  }
  const best = weighed.reduce((top, one) => (rankOf(one.verdict) >= rankOf(top.verdict) ? one : top));
  const objection = best.verdict === 'confirmed' ? objectionTo(floors, weighed, rule) : null;
  return {
    verdict: objection === null ? best.verdict : 'suspected',
    evidence: best.evidence,
    reason: words(best, objection ?? best.lacks),
    healthyLevelBytes: best.verdict === 'none' ? null : best.healthyLevelBytes,
  };
}

const rankOf = (verdict: LeakVerdict) => verdicts.indexOf(verdict);

/** A short window of a cache that fills looks straight; a longer one shows the bend, and a young process is all cache. */
function objectionTo(floors: readonly Floor[], weighed: readonly Weighed[], rule: LeakRule): string | null {
  const knownMs = (floors.at(-1)?.at ?? 0) - (floors[0]?.at ?? 0) + rule.bucketMs;
  // Half a bucket less, as neither the first nor the last one begins on the hour.
  if (knownMs < rule.leastKnownMs - rule.bucketMs / 2) return 'too little is known of this process';
  return weighed.some(({ slowsDown }) => slowsDown) ? 'over a longer time it slows down' : null;
}

function words({ evidence }: Weighed, lacks: string): string {
  const { floorRiseBytesPerHour, spanMs, consistentShare, windows, timeToLimitMs, loadNormalised } = evidence;
  const rate = `the floor moved ${((floorRiseBytesPerHour ?? 0) / 2 ** 20).toPrecision(3)} MiB/h over ${spanMs / hourMs} h`;
  const rises = `rising in ${Math.round(consistentShare * (windows - 1))} of ${windows - 1} steps`;
  const limit = timeToLimitMs === null ? '' : `, limit in ${(timeToLimitMs / hourMs).toPrecision(3)} h`;
  const load = loadNormalised ? ', load taken out' : '';
  return `${rate}, ${rises}${limit}${load}${lacks === '' ? '' : `; ${lacks}`}`;
}
