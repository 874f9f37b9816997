/** The ladder as it ships beside a raw one and one with a gap alone, over both halves of a recording. */
import { configSchema } from '@nautilus/contracts';
import { flapControl, type LadderSettings } from '@nautilus/monitor';
import { atMost, type Figure, plain } from '../figure.ts';
import { renderCells } from '../series/cells.ts';
import { readParts, splitNote } from '../series/parts.ts';
import type { BenchResult } from '../series/program.ts';
import { replayAlerts } from './replay.ts';

const leastPoints = 60;

/** What a configuration without a word about alerts gives. */
function ladders(): ReadonlyMap<string, LadderSettings> {
  const { monitor } = configSchema.parse({});
  const steps = monitor.memory;
  const raw: LadderSettings = { steps, gap: 0, raiseHoldMs: 0, clearHoldMs: 0 };
  const shipped: LadderSettings = {
    steps,
    gap: monitor.gap,
    raiseHoldMs: monitor.raise_hold,
    clearHoldMs: monitor.clear_hold,
    flap: flapControl,
  };
  return new Map([
    ['raw', raw],
    ['gap alone', { ...raw, gap: monitor.gap }],
    ['2 s to raise, 10 s to clear', { ...shipped, raiseHoldMs: 2_000, clearHoldMs: 10_000 }],
    [shippedName, shipped],
  ]);
}

const shippedName = 'as shipped';

export function runAlerts(file: string): BenchResult {
  const figures: Figure[] = [];
  const tables: string[] = [];
  for (const [part, series] of readParts(file, leastPoints)) {
    const cells: string[][] = [];
    for (const [ladder, settings] of ladders()) {
      const { days, transitions, reRaises, emergencyDelays } = replayAlerts(series, settings);
      const slowest = Math.max(0, ...emergencyDelays);
      const name = (what: string) => `${part}, ${ladder}: ${what}`;
      const isJudged = ladder === shippedName;
      const figure = (what: string, value: number, unit: string, goal: number) =>
        figures.push(isJudged ? atMost(name(what), value, unit, goal) : plain(name(what), value, unit));
      figure('transitions', transitions / days, '/container-day', 1);
      figure('raised again within 30 min', reRaises, 'times', 0);
      // Without a crossing nothing was shown, and nothing is claimed.
      if (emergencyDelays.length > 0) figure('EMERGENCY after crossing, slowest', slowest, 's', 2);
      cells.push([
        ladder,
        (transitions / days).toFixed(2),
        (reRaises / days).toFixed(2),
        String(emergencyDelays.length),
        emergencyDelays.length === 0 ? 'none crossed' : `${slowest}`,
      ]);
    }
    const days =
      series.reduce((sum, { atMs }) => sum + ((atMs.at(-1) ?? 0) - (atMs[0] ?? 0)), 0) / 86_400_000;
    const head = ['ladder', 'transitions /day', 'again <30 min /day', 'EMERGENCY', 'slowest s'];
    tables.push(
      `── ${part}: ${series.length} containers, ${days.toFixed(1)} container-days\n${renderCells(head, cells)}`,
    );
  }
  const note =
    'Each value is repeated every second until the next: what happened between samples is not in a recording.';
  return { figures, text: [splitNote, note, ...tables].join('\n\n') };
}
