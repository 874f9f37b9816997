/**
 * Plays recorded demand against a limit policy, step by step. The limit of a step was decided before its demand was
 * known, as in life. What a program would have done at its limit no recording knows, so there are three answers.
 */
import type { LimitObservation } from '@nautilus/orchestrator';
import type { Series } from '../series/series.ts';

/**
 * open: the policy sees the recorded demand even where its limit was lower, and no event: as published replays do.
 * held: it sees no more than its limit, and that the container was held there; the demand goes on.
 * killed: the container dies at its limit and starts again with the next step, wanting what was recorded.
 */
export const loops = ['open', 'held', 'killed'] as const;
export type Loop = (typeof loops)[number];

/** Answers the limit for the next step, in bytes. */
export type Stepper = (observation: LimitObservation) => number;

export interface ReplayPolicy {
  readonly name: string;
  readonly begin: () => Stepper;
}

export interface Tally {
  readonly containers: number;
  readonly hours: number;
  /** Runs of steps with more demand than limit; where breaches kill, each kill. */
  readonly breaches: number;
  readonly breachSteps: number;
  /** Breaches with `suddenShare` more use than one step before: no limit above the past foresees those. */
  readonly suddenBreaches: number;
  readonly changes: number;
  readonly steps: number;
  /** Sum over steps of (limit − used) ÷ limit. */
  readonly slack: number;
  readonly usedBytes: number;
  readonly grantedBytes: number;
}

/** One breach, for people: shares of the container's maximum. */
export interface Breach {
  readonly id: string;
  readonly hour: number;
  readonly before: number;
  readonly demand: number;
  readonly highest: number;
  readonly limit: number;
}

/** Every container may have this much; the recordings are shares of a limit that is not recorded. */
export const containerBytes = 4 * 1024 ** 3;
/** Judged from here on: before, no policy has seen enough to be asked. The published replays did the same. */
export const warmUpMs = 2 * 3_600_000;
export const suddenShare = 0.25;
const mostStepMs = 5 * 60_000;

const none: Tally = {
  containers: 0,
  hours: 0,
  breaches: 0,
  breachSteps: 0,
  suddenBreaches: 0,
  changes: 0,
  steps: 0,
  slack: 0,
  usedBytes: 0,
  grantedBytes: 0,
};

export function replayAll(
  policy: ReplayPolicy,
  series: readonly Series[],
  loop: Loop,
  fromMs = warmUpMs,
): Tally {
  return sumOf(series.map((one) => replay(policy, one, loop, fromMs)));
}

export function replay(
  { begin }: ReplayPolicy,
  series: Series,
  loop: Loop,
  fromMs = warmUpMs,
  onBreach: (breach: Breach) => void = () => {},
): Tally {
  const step = begin();
  const tally = { ...none };
  const startMs = series.atMs[0] ?? 0;
  let limitBytes = containerBytes;
  let breaching = false;
  let killed = false;
  for (const [index, atMs] of series.atMs.entries()) {
    const demandBytes = Math.round((series.demand[index] ?? 0) * containerBytes);
    const breach = demandBytes > limitBytes;
    const usedBytes = breach && loop !== 'open' ? limitBytes : demandBytes;
    const dies = breach && loop === 'killed';
    if (index > 0 && atMs - startMs >= fromMs) {
      tally.steps += 1;
      tally.hours += Math.min(atMs - (series.atMs[index - 1] ?? atMs), mostStepMs) / 3_600_000;
      if (breach) tally.breachSteps += 1;
      if (dies || (breach && !breaching)) {
        tally.breaches += 1;
        const before = (series.demand[index - 1] ?? 0) * containerBytes;
        if (demandBytes >= before * (1 + suddenShare)) tally.suddenBreaches += 1;
        onBreach({
          id: series.id,
          hour: (atMs - startMs) / 3_600_000,
          before: before / containerBytes,
          demand: demandBytes / containerBytes,
          highest: Math.max(...series.demand.slice(0, index)),
          limit: limitBytes / containerBytes,
        });
      }
      // Demand above the limit is no use of it, and its excess no negative slack.
      const paidBytes = Math.min(usedBytes, limitBytes);
      // A formula may grant nothing to who uses nothing: no slack.
      tally.slack += limitBytes > 0 ? (limitBytes - paidBytes) / limitBytes : 0;
      tally.usedBytes += paidBytes;
      tally.grantedBytes += limitBytes;
    }
    const nextBytes = step({
      at: atMs,
      workingSetBytes: dies ? 0 : usedBytes,
      peakBytes: usedBytes,
      limitBytes,
      oomKills: dies ? 1 : 0,
      stalls: breach && loop === 'held' ? 1 : 0,
      started: killed,
      controllerRestarted: false,
    });
    if (nextBytes !== limitBytes && atMs - startMs >= fromMs) tally.changes += 1;
    limitBytes = nextBytes;
    breaching = breach;
    killed = dies;
  }
  return { ...tally, containers: tally.steps > 0 ? 1 : 0 };
}

export function sumOf(tallies: readonly Tally[]): Tally {
  const sum = { ...none };
  for (const tally of tallies) {
    for (const key of Object.keys(none) as (keyof Tally)[]) sum[key] += tally[key];
  }
  return sum;
}

export interface Score {
  readonly breachesPer100Hours: number;
  readonly slackPercent: number;
  readonly changesPerHour: number;
  readonly efficiencyPercent: number;
  readonly breachMinutesPer100Hours: number;
}

export function scoreOf(tally: Tally): Score {
  return {
    breachesPer100Hours: (100 * tally.breaches) / tally.hours,
    slackPercent: (100 * tally.slack) / tally.steps,
    changesPerHour: tally.changes / tally.hours,
    efficiencyPercent: (100 * tally.usedBytes) / tally.grantedBytes,
    breachMinutesPer100Hours: (6000 * tally.breachSteps) / tally.steps,
  };
}
