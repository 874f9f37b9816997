/** One measured figure and how it is printed: a table for people, JSON for machines. */

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly goal?: number;
  /** Of a goal to be reached; without it a goal is not to be exceeded. */
  readonly bound?: 'at least';
  readonly ok?: boolean;
  /** Of a missed goal, where the reason is known. */
  readonly why?: string;
  /** The peer's value in the same run, and value ÷ baseline. */
  readonly baseline?: number;
  readonly ratio?: number;
}

/** The value at a share (0–1) of sorted samples, by the nearest rank. */
export function quantile(samples: readonly number[], share: number): number {
  if (samples.length === 0) throw new RangeError('no samples');
  const sorted = [...samples].sort((a, b) => a - b);
  const rank = Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1));
  return sorted[rank] as number;
}

/** A figure that must not exceed its goal. */
export function atMost(name: string, value: number, unit: string, goal: number): Figure {
  return { name, value, unit, goal, ok: value <= goal };
}

/** A figure that must reach its goal. */
export function atLeast(name: string, value: number, unit: string, goal: number): Figure {
  return { name, value, unit, goal, bound: 'at least', ok: value >= goal };
}

/** A figure whose ratio to the peer must not exceed `goal`. */
export function ratioAtMost(
  name: string,
  value: number,
  baseline: number,
  unit: string,
  goal: number,
): Figure {
  const ratio = value / baseline;
  return { name, value, unit, baseline, ratio, goal, ok: ratio <= goal };
}

/** With the reason, should its goal be missed. */
export function because(figure: Figure, why: string): Figure {
  return figure.ok === false ? { ...figure, why } : figure;
}

/** Published without a goal. */
export function plain(name: string, value: number, unit: string): Figure {
  return { name, value, unit };
}

const digits = (value: number) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));

export function renderTable(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.name,
    `${digits(figure.value)} ${figure.unit}`,
    figure.baseline === undefined ? '' : `${digits(figure.baseline)} ${figure.unit}`,
    figure.ratio === undefined ? '' : `${figure.ratio.toFixed(2)}×`,
    figure.goal === undefined
      ? ''
      : `${figure.bound === 'at least' ? '≥' : '≤'} ${figure.goal}${figure.ratio === undefined ? ` ${figure.unit}` : '×'}`,
    figure.ok === undefined
      ? ''
      : figure.ok
        ? 'met'
        : figure.why === undefined
          ? 'MISSED'
          : `MISSED: ${figure.why}`,
  ]);
  const table = [['figure', 'value', 'peer', 'ratio', 'goal', ''], ...rows];
  const widths =
    table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
  return table
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
