/** Forecasts of the peak beside those of others, over both halves of a recording. Figures in percent points of the limit. */
import { atLeast, atMost, type Figure, plain, quantile, ratioAtMost } from '../figure.ts';
import { renderCells } from '../series/cells.ts';
import { readParts, splitNote } from '../series/parts.ts';
import type { BenchResult } from '../series/program.ts';
import { naiveQuantile } from './peers.ts';
import { horizonsMs, ours, replaySeries, type SeriesScore } from './replay.ts';

const leastPoints = 120;
const pointGoals = [0.6, 0.83] as const;
/** Ten windows of a series tell nothing of its coverage. */
const leastWindows = 50;

interface Total {
  readonly windows: number;
  readonly coverage: number;
  readonly worstDecile: number;
  readonly pinball: number;
  readonly mae: number;
}

function totalOf(scores: readonly SeriesScore[]): Total {
  const sum = (of: (score: SeriesScore) => number) => scores.reduce((total, score) => total + of(score), 0);
  const windows = sum((score) => score.windows);
  const shares = scores.filter((one) => one.windows >= leastWindows).map((one) => one.covered / one.windows);
  return {
    windows,
    coverage: (100 * sum((score) => score.covered)) / windows,
    worstDecile: shares.length === 0 ? Number.NaN : 100 * quantile(shares, 0.1),
    pinball: (100 * sum((score) => score.pinball)) / windows,
    mae: (100 * sum((score) => score.pointError)) / windows,
  };
}

export function runForecast(file: string): BenchResult {
  const figures: Figure[] = [];
  const tables: string[] = [];
  for (const [part, series] of readParts(file, leastPoints)) {
    const replayed = series.map(replaySeries);
    for (const [which, horizonMs] of horizonsMs.entries()) {
      const minutes = horizonMs / 60_000;
      const names = [...new Set(replayed.flatMap((scores) => [...(scores[which]?.keys() ?? [])]))];
      const totals = new Map(
        names.map((name) => [name, totalOf(replayed.flatMap((scores) => scores[which]?.get(name) ?? []))]),
      );
      figures.push(...figuresOf(`${part}, ${minutes} min`, totals, pointGoals[which] ?? 0));
      tables.push(`── ${part}: ${series.length} containers, the next ${minutes} min\n${table(totals)}`);
    }
  }
  const note =
    'P95 of the peak and its pinball loss, and the error of the value at the end, in points of the limit. "model" is what ' +
    'each model says before the offset that keeps coverage; "speaks" splits ours by who spoke, at moments of its choice.';
  return { figures, text: [splitNote, note, ...tables].join('\n\n') };
}

function figuresOf(of: string, totals: ReadonlyMap<string, Total>, pointGoal: number): Figure[] {
  const [own, naive, last] = [totals.get(ours), totals.get(naiveQuantile), totals.get('last value')];
  if (own === undefined || naive === undefined || last === undefined) return [];
  const rest = [...totals].filter(([name]) => name !== ours);
  return [
    atLeast(`${of}: coverage of P95`, own.coverage, '%', 94),
    atMost(`${of}: coverage of P95, not wider`, own.coverage, '%', 96),
    atLeast(`${of}: coverage, worst decile of containers`, own.worstDecile, '%', 90),
    ratioAtMost(`${of}: pinball loss, peer naive quantile`, own.pinball, naive.pinball, 'pp', 0.85),
    atMost(`${of}: error of the point`, own.mae, 'pp', pointGoal),
    plain(`${of}: error of the point ÷ last value`, own.mae / last.mae, '×'),
    ...rest.flatMap(([name, total]) => [
      plain(`${of}, ${name}: coverage of P95`, total.coverage, '%'),
      plain(`${of}, ${name}: pinball loss`, total.pinball, 'pp'),
      ...(Number.isFinite(total.mae) ? [plain(`${of}, ${name}: error of the point`, total.mae, 'pp')] : []),
    ]),
  ];
}

function table(totals: ReadonlyMap<string, Total>): string {
  const cells = [...totals].map(([name, total]) => [
    name,
    String(total.windows),
    total.coverage.toFixed(1),
    Number.isFinite(total.worstDecile) ? total.worstDecile.toFixed(1) : '',
    total.pinball.toFixed(4),
    Number.isFinite(total.mae) ? total.mae.toFixed(3) : '',
  ]);
  return renderCells(
    ['forecaster', 'windows', 'coverage %', 'worst decile %', 'pinball pp', 'point pp'],
    cells,
  );
}
