/** Rows of text in columns that line up, the last one as long as it likes. */

/** Control characters of names and reasons that others wrote must not reach the terminal. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, ' ');
}

/** Columns whose name begins with `>` are aligned to the right; colours are put on afterwards by `paint`. */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  paint: (cell: string, column: number, row: number) => string = (cell) => cell,
): string {
  const clean = rows.map((row) => row.map(printable));
  const names = head.map((name) => name.replace(/^>/, ''));
  const widths = names.map((name, at) =>
    Math.max(name.length, ...clean.map((row) => (row[at] ?? '').length)),
  );
  const line = (cells: readonly string[], row: number) =>
    cells
      .map((cell, at) => {
        const isLast = at === cells.length - 1;
        const isRight = head[at]?.startsWith('>') === true;
        const width = widths[at] ?? 0;
        const padded = isRight ? cell.padStart(width) : isLast ? cell : cell.padEnd(width);
        return row < 0 ? padded : paint(padded, at, row);
      })
      .join('  ')
      .trimEnd();
  return [line(names, -1), ...clean.map(line)].join('\n');
}
