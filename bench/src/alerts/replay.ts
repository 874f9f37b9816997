/** A recording walked second by second on a ladder: how often people are told, how often again, and how soon. */
import { calmLadder, type LadderSettings, rank, stepLadder } from '@nautilus/monitor';
import type { Series } from '../series/series.ts';

export interface AlertScore {
  readonly days: number;
  readonly transitions: number;
  /** Raises to a tier that was left less than half an hour before. */
  readonly reRaises: number;
  /** Seconds from each crossing of the EMERGENCY step to its alert. */
  readonly emergencyDelays: readonly number[];
}

const reRaiseMs = 1_800_000;
const secondMs = 1_000;
/** A value stands for the time until the next one; where that is longer, nothing was measured. */
const longestStepMs = 120_000;

export function replayAlerts(series: readonly Series[], settings: LadderSettings): AlertScore {
  const scores = series.map((one) => replayOne(one, settings));
  const sum = (of: (score: AlertScore) => number) => scores.reduce((total, score) => total + of(score), 0);
  return {
    days: sum((score) => score.days),
    transitions: sum((score) => score.transitions),
    reRaises: sum((score) => score.reRaises),
    emergencyDelays: scores.flatMap((score) => score.emergencyDelays),
  };
}

export function replayOne({ atMs, demand }: Series, settings: LadderSettings): AlertScore {
  let state = calmLadder;
  let [transitions, reRaises, seenMs] = [0, 0, 0];
  let crossedAt: number | null = null;
  const emergencyDelays: number[] = [];
  const leftAt = new Map<number, number>();
  const step = settings.steps.emergency ?? Number.POSITIVE_INFINITY;
  for (const [index, value] of demand.entries()) {
    const from = atMs[index] ?? 0;
    const until = Math.min(atMs[index + 1] ?? from + secondMs, from + longestStepMs);
    for (let at = from; at < until; at += secondMs) {
      if (value < step) crossedAt = null;
      else if (state.tier !== 'emergency') crossedAt ??= at;
      const stepped = stepLadder(state, { value, at }, settings);
      state = stepped.state;
      transitions += stepped.transitions.length;
      for (const { state: kind, tier, previousTier } of stepped.transitions) {
        if (kind !== 'raised') leftAt.set(rank(previousTier), at);
        else if (returns(leftAt, rank(previousTier), rank(tier), at)) reRaises += 1;
      }
      if (crossedAt !== null && state.tier === 'emergency') {
        emergencyDelays.push((at - crossedAt) / secondMs);
        crossedAt = null;
      }
      seenMs += secondMs;
    }
  }
  return { days: seenMs / 86_400_000, transitions, reRaises, emergencyDelays };
}

function returns(leftAt: ReadonlyMap<number, number>, from: number, to: number, at: number): boolean {
  for (let tier = from + 1; tier <= to; tier += 1) {
    const left = leftAt.get(tier);
    if (left !== undefined && at - left < reRaiseMs) return true;
  }
  return false;
}
