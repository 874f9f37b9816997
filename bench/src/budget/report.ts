/** The comparison as tables for people. */
import { renderCells } from '../series/cells.ts';
import type { Comparison, Row } from './compare.ts';
import type { Breach, Loop } from './replay.ts';

const loopTitles: Record<Loop, string> = {
  held: 'closed loop, held: a container is kept at its limit, and the policy sees no more than that',
  killed: 'closed loop, killed: a container dies at its limit and starts again; each kill counts',
  open: 'open loop: the policy sees the whole demand whatever its limit was, as published replays do',
};

export function renderComparison({ part, containers, hours, rows, frontier, breaches }: Comparison): string {
  const tables = (['held', 'killed', 'open'] as const).map(
    (loop) => `${loopTitles[loop]}\n${renderRows(rows.filter((row) => row.loop === loop))}`,
  );
  return [
    `── ${part}: ${containers} containers, ${hours.toFixed(0)} container-hours after the first two of each`,
    ...tables,
    `breaches of our policy (held), in % of the maximum\n${renderBreaches(breaches)}`,
    `frontier (held): what more room buys\n${renderRows(frontier)}`,
  ].join('\n\n');
}

function renderBreaches(breaches: readonly Breach[]): string {
  const percent = (share: number) => (100 * share).toFixed(1);
  const head = ['container', 'hour', 'a step before', 'then', 'growth %', 'limit', 'highest before'];
  const cells = breaches.map(({ id, hour, before, demand, limit, highest }) => [
    id.slice(0, 8),
    hour.toFixed(1),
    percent(before),
    percent(demand),
    percent(demand / before - 1),
    percent(limit),
    percent(highest),
  ]);
  return renderCells(head, cells);
}

export function renderRows(rows: readonly Row[]): string {
  const head = [
    'policy',
    'breaches',
    '/100 h',
    'of these sudden',
    'min over limit /100 h',
    'slack %',
    'changes /h',
    'efficiency %',
  ];
  const cells = rows.map((row) => [
    row.policy,
    String(row.breaches),
    row.breachesPer100Hours.toFixed(2),
    String(row.suddenBreaches),
    row.breachMinutesPer100Hours.toFixed(1),
    row.slackPercent.toFixed(1),
    row.changesPerHour.toFixed(2),
    row.efficiencyPercent.toFixed(1),
  ]);
  return renderCells(head, cells);
}
