/** All policies over the same series, and the figures that follow: our goals, and the peers beside them. */
import { defaultTuning } from '@nautilus/orchestrator';
import { atLeast, atMost, because, type Figure, plain } from '../figure.ts';
import type { Series } from '../series/series.ts';
import { baselines, maximumSoFar } from './baselines.ts';
import { nautilus } from './ours.ts';
import {
  type Breach,
  type Loop,
  loops,
  type ReplayPolicy,
  replay,
  replayAll,
  type Score,
  scoreOf,
  suddenShare,
  sumOf,
} from './replay.ts';

export interface Row extends Score {
  readonly policy: string;
  readonly loop: Loop;
  readonly breaches: number;
  readonly suddenBreaches: number;
}

export interface Comparison {
  readonly part: string;
  readonly containers: number;
  readonly hours: number;
  readonly rows: readonly Row[];
  readonly frontier: readonly Row[];
  /** Of our policy, held. */
  readonly breaches: readonly Breach[];
}

const policies = [nautilus(), nautilus('guaranteed'), ...baselines];
const sweep = [0, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1, 1.5];
const peerSweep = [0.02, 0.05, 0.1, 0.15, 0.25, 0.4];

export function compare(part: string, series: readonly Series[]): Comparison {
  const breaches: Breach[] = [];
  const judged = sumOf(
    series.map((one) => replay(nautilus(), one, 'held', undefined, (breach) => breaches.push(breach))),
  );
  return {
    part,
    containers: judged.containers,
    hours: judged.hours,
    breaches,
    rows: loops.flatMap((loop) => policies.map((policy) => rowOf(policy, series, loop))),
    frontier: [
      ...sweep.map((riseShare) =>
        rowOf(
          {
            ...nautilus('adaptive', { ...defaultTuning, riseShare, mostRise: riseShare * 1.25 }),
            name: `Nautilus, riseShare ${riseShare}`,
          },
          series,
          'held',
        ),
      ),
      ...peerSweep.map((margin) =>
        rowOf(maximumSoFar(`max so far × ${1 + margin}`, 1 + margin), series, 'held'),
      ),
    ],
  };
}

/** The whole life of each container, cold start included, which the goals leave out as published replays do. */
export function wholeLife(series: readonly Series[]): Row {
  return rowOf(nautilus(), series, 'held', 0);
}

export function figuresOf({ part, rows }: Comparison, isJudged: boolean): Figure[] {
  return rows.flatMap((row) => {
    const name = (what: string) => `${part}, ${row.loop}: ${row.policy}: ${what}`;
    if (!isJudged || row.loop !== 'held' || row.policy !== nautilus().name) {
      return [
        plain(name('breaches'), row.breachesPer100Hours, '/100 h'),
        plain(name('slack'), row.slackPercent, '%'),
        plain(name('changes'), row.changesPerHour, '/h'),
        plain(name('efficiency'), row.efficiencyPercent, '%'),
      ];
    }
    const why = `${row.suddenBreaches} of the ${row.breaches} breaches came with ${100 * suddenShare} % more use than one step before`;
    return [
      because(atMost(name('breaches'), row.breachesPer100Hours, '/100 h', 0.5), why),
      atMost(name('slack'), row.slackPercent, '%', 15),
      atMost(name('changes'), row.changesPerHour, '/h', 0.3),
      atLeast(name('efficiency'), row.efficiencyPercent, '%', 80),
    ];
  });
}

function rowOf(policy: ReplayPolicy, series: readonly Series[], loop: Loop, fromMs?: number): Row {
  const tally = replayAll(policy, series, loop, fromMs);
  const { breaches, suddenBreaches } = tally;
  return { policy: policy.name, loop, breaches, suddenBreaches, ...scoreOf(tally) };
}
