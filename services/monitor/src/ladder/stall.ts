/** The share of time that was lost waiting for memory, from the kernel's running total; unknown until a window was seen. */

export interface StallState {
  /** Newest last, at most `stallWindowMs` and one more old. */
  readonly points: readonly { readonly at: number; readonly totalUs: number }[];
}

/** As long as avg10 of the kernel, and exact: the kernel's own average lags by seconds. */
export const stallWindowMs = 10_000;
const longestGapMs = 5_000;
/** Four readings a second over the window, and room. */
const mostPoints = 64;

export const noStall: StallState = { points: [] };

/** `totalUs` is null where the kernel has no PSI. A total that fell (a boot), a gap or a clock that jumped begins anew. */
export function advanceStall(
  { points }: StallState,
  { at, totalUs }: { readonly at: number; readonly totalUs: number | null },
): StallState {
  if (totalUs === null || !Number.isFinite(totalUs) || totalUs < 0) return noStall;
  const newest = points.at(-1);
  const isNext =
    newest !== undefined && at > newest.at && at - newest.at <= longestGapMs && totalUs >= newest.totalUs;
  if (!isNext) return { points: [{ at, totalUs }] };
  const from = points.findLastIndex((point) => at - point.at >= stallWindowMs);
  return { points: [...points.slice(Math.max(0, from)), { at, totalUs }].slice(-mostPoints) };
}

/** 0 to 1; NaN while less than a second was seen. */
export function readStall({ points }: StallState): number {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || last.at - first.at < 1_000) return Number.NaN;
  return Math.min(1, (last.totalUs - first.totalUs) / 1_000 / (last.at - first.at));
}
