/** The name that was probably meant: the one with the fewest letters inserted, left out, changed or swapped. */

/** Null when nothing is near enough to be a slip. */
export function nearest(word: string, known: readonly string[]): string | null {
  const reach = Math.max(1, Math.floor(word.length / 3));
  let best: { name: string; steps: number } | null = null;
  for (const name of known) {
    const steps = distance(word, name);
    if (steps <= reach && (best === null || steps < best.steps)) best = { name, steps };
  }
  return best?.name ?? null;
}

/** Optimal string alignment distance. */
function distance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const isSame = from[row - 1] === to[column - 1];
      const isSwap =
        row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current[column] = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (isSame ? 0 : 1),
        isSwap ? (beforeLast[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length] ?? 0;
}
