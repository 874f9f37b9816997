/** A series as one line of text: eight heights, and a space where nothing was measured. */

const heights = '▁▂▃▄▅▆▇█';

/** `ceiling` is the full height; without it, the largest value is. */
export function sparkline(values: readonly (number | null)[], ceiling?: number): string {
  const top = ceiling ?? Math.max(0, ...values.map((value) => value ?? 0));
  return values
    .map((value) => {
      if (value === null) return ' ';
      const share = top > 0 ? Math.min(1, Math.max(0, value / top)) : 0;
      return heights[Math.min(heights.length - 1, Math.floor(share * heights.length))];
    })
    .join('');
}
