/** The whole benchmark over one file: the half that was tuned on, the half that was not, all of it, and the speed. */
import { type Figure, plain } from '../figure.ts';
import { DataError, partOf, readSeries } from '../series/series.ts';
import { compare, figuresOf, wholeLife } from './compare.ts';
import { measurePlanner } from './planner-speed.ts';
import { warmUpMs } from './replay.ts';
import { renderComparison, renderRows } from './report.ts';
import { measureSpeed } from './speed.ts';

export interface BudgetResult {
  readonly figures: readonly Figure[];
  /** Those with a goal. */
  readonly goals: readonly Figure[];
  readonly text: string;
}

/** Only in the file that the policy was tuned on was one half ever looked at; of any other file both are unseen. */
const notes =
  'The halves are split by a hash of the name. The numbers of the policy were chosen on "tuning" alone, of the ' +
  'recording that docs/guides/budgets.md names; goals are judged on "holdout" and on "all".\n' +
  'Limits start at 4 GiB, the maximum of each container; the recordings are shares of a limit that is not in them. ' +
  'Steps are those of the recording, about a minute: what the emergency ladder does within a second does not show.';

export function runBudget(file: string): BudgetResult {
  const series = readSeries(file);
  const parts = {
    tuning: series.filter(({ id }) => partOf(id) === 'tuning'),
    holdout: series.filter(({ id }) => partOf(id) === 'holdout'),
    all: series,
  };
  for (const [name, part] of Object.entries(parts)) {
    const long = part.filter(({ atMs }) => (atMs.at(-1) ?? 0) - (atMs[0] ?? 0) > warmUpMs);
    if (long.length === 0) {
      throw new DataError(
        `${file}: of its ${part.length} containers in the part ${name}, none was recorded for longer than two hours; more are needed`,
      );
    }
  }
  const comparisons = Object.entries(parts).map(([name, part]) => compare(name, part));
  const life = wholeLife(series);
  const figures = [
    ...comparisons.flatMap((one) => figuresOf(one, one.part !== 'tuning')),
    plain('all, held, whole life with cold start: slack', life.slackPercent, '%'),
    plain('all, held, whole life with cold start: breaches', life.breachesPer100Hours, '/100 h'),
    ...measureSpeed(),
    ...measurePlanner(),
  ];
  return {
    figures,
    goals: figures.filter((figure) => figure.goal !== undefined),
    text: [
      notes,
      ...comparisons.map(renderComparison),
      `── all, held, whole life: the hour at the maximum after each start is in it\n${renderRows([life])}`,
    ].join('\n\n'),
  };
}
