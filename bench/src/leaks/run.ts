/** Leak verdicts beside what others alarm on: recordings that are presumed healthy, and leaks put into flat ones. */
import { atLeast, atMost, type Figure, plain } from '../figure.ts';
import { renderCells } from '../series/cells.ts';
import { readParts, splitNote } from '../series/parts.ts';
import type { BenchResult } from '../series/program.ts';
import { DataError, type Series } from '../series/series.ts';
import { flatHours, flatRange, isFlat } from './inject.ts';
import { type Detector, hourMs, leastSquares, mannKendall, predictLinear } from './peers.ts';
import { alarmed, findLeaks, shipped } from './replay.ts';

const leastPoints = 300;
const shippedName = 'confirmed';
const detectors: ReadonlyMap<string, Detector> = new Map([
  ['least squares, t > 2.6', leastSquares],
  ['Mann-Kendall, Theil-Sen', mannKendall],
  ['predict_linear, limit < 24 h', predictLinear],
  ['suspected', shipped(['suspected', 'confirmed'])],
  [shippedName, shipped(['confirmed'])],
]);
/** Shares of the limit an hour, with the recall that is wanted. */
const leaks = [
  { perHour: 0.01, name: '1 pp/h', recall: 95 },
  { perHour: 0.005, name: '0.5 pp/h', recall: 80 },
] as const;
const mostAlarmed = 3;
const mostDelayHours = 4;

const notes =
  'Alarmed: series as recorded, of at least six hours, that alarmed at any time. Nobody labelled them, so what is alarmed ' +
  'may leak: the share is an upper bound of false alarms.\n' +
  `Leaks: from the sixth hour of series that are flat (of ${flatHours} h and more, the lowest values of each 10 min within ` +
  `${flatRange * 100} pp from the 5th to the 95th percentile). An alarm before the onset finds nothing. "Any" is the same in every ` +
  'series of that length, flat or not.';

export function runLeaks(file: string): BenchResult {
  const figures: Figure[] = [];
  const tables: string[] = [];
  for (const [part, all] of readParts(file, leastPoints)) {
    const series = all.filter((one) => lengthMs(one) >= 6 * hourMs);
    const long = all.filter((one) => lengthMs(one) >= flatHours * hourMs);
    const flat = long.filter(isFlat);
    if (flat.length === 0)
      throw new DataError(`${file}: no series of the half ${part} is flat over ${flatHours} h`);
    const cells = [...detectors].map(([detector, detect]) => {
      const name = (what: string) => `${part}, ${detector}: ${what}`;
      const isJudged = detector === shippedName;
      const healthy = alarmed(series, detect).length;
      const share = (healthy / series.length) * 100;
      figures.push((isJudged ? atMost : plainly)(name('series alarmed'), share, '%', mostAlarmed));
      const found = leaks.flatMap(({ perHour, name: rate, recall }) => {
        const ours = findLeaks(flat, perHour, detect);
        figures.push(
          (isJudged ? atLeast : plainly)(name(`found at ${rate}`), ours.recall * 100, '%', recall),
        );
        const [delay, word] = [ours.medianDelayHours, name(`median delay at ${rate}`)];
        // Of what was not found there is no delay; that is missed above.
        if (!Number.isNaN(delay))
          figures.push((isJudged ? atMost : plainly)(word, delay, 'h', mostDelayHours));
        const any = findLeaks(long, perHour, detect);
        return [percent(ours.recall), hours(delay), percent(any.recall)];
      });
      return [detector, `${healthy} (${share.toFixed(1)} %)`, ...found];
    });
    const head = ['alarm', 'alarmed', ...leaks.flatMap(({ name }) => [`found ${name}`, 'delay h', 'any'])];
    tables.push(
      `── ${part}: ${series.length} series, leaks in ${flat.length} flat ones, in any of ${long.length}\n${renderCells(head, cells)}`,
    );
  }
  return { figures, text: [splitNote, notes, ...tables].join('\n\n') };
}

const lengthMs = ({ atMs }: Series) => (atMs.at(-1) ?? 0) - (atMs[0] ?? 0);
const plainly = (name: string, value: number, unit: string, _goal: number) => plain(name, value, unit);
const percent = (share: number) => `${(share * 100).toFixed(0)} %`;
const hours = (value: number) => (Number.isNaN(value) ? 'none' : value.toFixed(1));
