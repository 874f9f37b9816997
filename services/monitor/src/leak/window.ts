/**
 * Weighs one window of floors: a rise is a leak if it is large beside limit and noise, even, steady, made of many steps, not
 * paid for by load, and near enough to the limit to matter.
 */
import type { LeakEvidence, LeakVerdict } from './leak.ts';
import type { Normalised } from './load.ts';
import { hourMs, type LeakRule } from './rule.ts';
import { noiseOf, theilSen, troughs } from './trend.ts';

export interface Weighed {
  readonly verdict: LeakVerdict;
  readonly evidence: LeakEvidence;
  readonly healthyLevelBytes: number;
  /** Why the verdict is no stronger; empty when it is confirmed. */
  readonly lacks: string;
  /** A gradual rise that bends towards a level. */
  readonly slowsDown: boolean;
}

/** Null where the window has larger gaps than it may have. */
export function weighWindow(
  { floors: known, loadNormalised }: Normalised,
  spanMs: number,
  limitBytes: number | null,
  rule: LeakRule,
): Weighed | null {
  const newest = known.at(-1);
  if (newest === undefined) return null;
  const to = newest.at + rule.bucketMs / 2;
  const from = to - spanMs;
  const floors = known.filter(({ at }) => at >= from);
  const points = troughs(floors, { from, to, count: rule.parts, bucketMs: rule.bucketMs });
  const [first, last] = [points?.[0], points?.at(-1)];
  if (points === null || first === undefined || last === undefined) return null;
  const slope = theilSen(points);
  const gain = (slope * spanMs) / hourMs;
  const steps = points.slice(1).map(({ at, bytes }, index) => {
    const before = points[index] ?? first;
    return { bytes: bytes - before.bytes, hours: (at - before.at) / hourMs };
  });
  const rising = steps.filter(({ bytes, hours }) => bytes > 0 && bytes >= rule.evenShare * slope * hours);
  const consistentShare = rising.length / steps.length;
  const total = last.bytes - first.bytes;
  const largest = Math.max(...steps.map(({ bytes }) => bytes));
  const isGradual = total - largest >= rule.withoutStepShare * total;
  const isSteady = steadiness(steps) >= rule.leastSteadiness;
  const wasHigher = points.some(({ bytes }) => bytes > last.bytes);
  const scale = limitBytes ?? newest.bytes;
  const timeToLimitMs =
    limitBytes === null || !(slope > 0) ? null : (Math.max(0, limitBytes - newest.bytes) / slope) * hourMs;

  const notSuspected = firstLack([
    [gain >= rule.suspectedShare * scale, `it gained less than ${percent(rule.suspectedShare)} of the limit`],
    [gain >= rule.leastNoises * noiseOf(points, slope), 'the gain is within its own noise'],
    [consistentShare >= rule.suspectedConsistent, 'it did not rise in most parts of the window'],
    [!wasHigher, 'it was higher before'],
  ]);
  const notConfirmed = firstLack([
    [limitBytes !== null, 'no limit is known'],
    [gain >= rule.confirmedShare * scale, `it gained less than ${percent(rule.confirmedShare)} of the limit`],
    [consistentShare >= rule.confirmedConsistent, 'the rise is uneven'],
    [isGradual, 'most of it is a single step'],
    [isSteady, 'it slows down, as a cache does that fills'],
    [(timeToLimitMs ?? 0) <= rule.mostTimeToLimitMs, 'the limit is further away than a week'],
  ]);
  return {
    verdict: notSuspected !== null ? 'none' : notConfirmed !== null ? 'suspected' : 'confirmed',
    evidence: {
      floorRiseBytesPerHour: slope,
      floorPoints: floors.length,
      windows: rule.parts,
      consistentShare,
      spanMs,
      timeToLimitMs,
      loadNormalised,
    },
    healthyLevelBytes: first.bytes,
    lacks: notSuspected ?? notConfirmed ?? '',
    slowsDown: notSuspected === null && isGradual && !isSteady,
  };
}

/** Rate over the later half of the steps ÷ rate over the earlier half; a middle one belongs to neither. */
function steadiness(steps: readonly { readonly bytes: number; readonly hours: number }[]): number {
  const half = steps.length >> 1;
  const rate = (some: typeof steps) =>
    some.reduce((sum, { bytes }) => sum + bytes, 0) / some.reduce((sum, { hours }) => sum + hours, 0);
  const [early, late] = [rate(steps.slice(0, half)), rate(steps.slice(-half))];
  return early > 0 ? late / early : Number.POSITIVE_INFINITY;
}

function firstLack(tests: readonly (readonly [boolean, string])[]): string | null {
  return tests.find(([holds]) => !holds)?.[1] ?? null;
}

const percent = (share: number) => `${Number((share * 100).toPrecision(2))} %`;
