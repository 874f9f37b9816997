/** `nautilus history`: what a series was, from the monitor's memory of the last day. */
import {
  exchanges,
  fail,
  formatBytes,
  formatDuration,
  type HistoryPoint,
  NautilusError,
} from '@nautilus/contracts';
import { withBus } from '../connection/open-bus.ts';
import { type Call, refuse } from '../line/call.ts';
import type { Command } from '../line/command.ts';
import { exitCodes } from '../line/exit-codes.ts';
import { sparkline } from '../terminal/sparkline.ts';
import { printable } from '../terminal/table.ts';

const usualMs = 15 * 60_000;
const dayMs = 86_400_000;

export const historyCommand: Command = {
  name: 'history',
  summary: 'Draws what a series was; without a name it lists the series.',
  positionals: [{ name: 'SERIES', summary: 'A name, or its beginning with * behind it.', isOptional: true }],
  options: [{ name: 'since', value: 'DURATION', summary: 'How far back, up to 24h; 15m.' }],
  examples: [
    { line: 'history', says: 'The names of the series of this host.' },
    {
      line: "history 'container/risk-engine/*' --since 2h",
      says: 'A line each, with least, mean and most; a gap is a space.',
    },
  ],
  connects: true,
  run: (call) => (call.positional('SERIES') === '' ? list(call) : draw(call)),
};

function list(call: Call): Promise<number> {
  return withBus(call, async (bus) => {
    const answer = await bus.request(exchanges.listHistory, {}, { host: call.host });
    call.answer(
      answer,
      () =>
        `${answer.series.join('\n')}\n${call.colours.dim(`${formatBytes(answer.storedBytes)} on disk, ${answer.rowsLost} rows lost`)}`,
    );
    return exitCodes.done.code;
  });
}

function draw(call: Call): Promise<number> {
  return withBus(call, async (bus) => {
    const spanMs = call.duration('since', usualMs);
    if (spanMs > dayMs) throw refuse('--since: the monitor remembers 24h, and no more');
    const width = Math.max(10, Math.min(120, call.columns - 2));
    const stepMs = Math.max(1_000, Math.ceil(spanMs / width / 1_000) * 1_000);
    const to = call.surroundings.now();
    const series = [call.positional('SERIES')];
    const answer = await call.wait(
      'asking the monitor',
      bus.request(
        exchanges.queryHistory,
        {},
        { host: call.host, series, from: Math.max(0, to - spanMs), to, stepMs },
      ),
    );
    if (answer.series.length === 0) {
      throw new NautilusError(
        fail('unavailable', `no series "${series[0]}" of host ${call.host}; \`nautilus history\` lists them`)
          .fault,
      );
    }
    call.answer(answer, () =>
      answer.series
        .map(
          ({ name, points }) =>
            `${call.colours.bold(printable(name))}  ${figures(name, points)}\n  ${sparkline(points.map((point) => point?.mean ?? null))}`,
        )
        .concat(
          call.colours.dim(`${formatDuration(answer.stepMs)} a column, ${formatDuration(spanMs)} in all`),
        )
        .join('\n'),
    );
    return exitCodes.done.code;
  });
}

function figures(name: string, points: readonly (HistoryPoint | null)[]): string {
  const measured = points.filter((point) => point !== null);
  if (measured.length === 0) return 'nothing was measured in this time';
  const show = (value: number) =>
    name.endsWith('Bytes') ? formatBytes(Math.round(value)) : String(Math.round(value * 1000) / 1000);
  const mean = measured.reduce((sum, point) => sum + point.mean, 0) / measured.length;
  return `least ${show(Math.min(...measured.map((point) => point.minimum)))}, mean ${show(mean)}, most ${show(Math.max(...measured.map((point) => point.maximum)))}, last ${show(measured.at(-1)?.last ?? 0)}`;
}
