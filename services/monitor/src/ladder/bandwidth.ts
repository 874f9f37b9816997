/**
 * How busy the memory bus is, from a counter of bytes. Counters of bandwidth vanish, wrap, and answer with words or the
 * smallest integer there is: all of that is unknown, with a reason, and never zero.
 */

export interface BandwidthState {
  readonly last: { readonly at: number; readonly bytes: number } | null;
}

/** As the source gave it: a number, a word of the kernel, or nothing. */
export interface BandwidthObservation {
  readonly at: number;
  readonly counter: unknown;
  /** Calibrated on this machine; null when it was not. */
  readonly peakBytesPerSecond: number | null;
}

export interface BandwidthReading {
  /** NaN when it is unknown. */
  readonly bytesPerSecond: number;
  /** Share of the peak; NaN when either is unknown. */
  readonly utilization: number;
  /** Why something is unknown; null when nothing is. */
  readonly reason: string | null;
}

export const noBandwidth: BandwidthState = { last: null };
const longestGapMs = 5_000;
/** No machine does this; a counter that says so is broken. */
const mostTimesPeak = 1.5;

function unknown(reason: string): BandwidthReading {
  return { bytesPerSecond: Number.NaN, utilization: Number.NaN, reason };
}

export function advanceBandwidth(
  { last }: BandwidthState,
  { at, counter, peakBytesPerSecond }: BandwidthObservation,
): { readonly state: BandwidthState; readonly reading: BandwidthReading } {
  if (counter === null || counter === undefined) return { state: noBandwidth, reading: unknown('no source') };
  const bytes = typeof counter === 'bigint' ? Number(counter) : counter;
  if (typeof bytes !== 'number' || !Number.isFinite(bytes) || bytes < 0) {
    const found = String(counter).slice(0, 40);
    return { state: noBandwidth, reading: unknown(`the source answered ${found}`) };
  }
  const state = { last: { at, bytes } };
  if (last === null) return { state, reading: unknown('one reading of a counter is no rate') };
  const elapsedMs = at - last.at;
  if (elapsedMs <= 0 || elapsedMs > longestGapMs)
    return { state, reading: unknown('a gap between readings') };
  if (bytes < last.bytes) return { state, reading: unknown('the counter wrapped or was reset') };
  const bytesPerSecond = ((bytes - last.bytes) * 1_000) / elapsedMs;
  if (peakBytesPerSecond === null || !(peakBytesPerSecond > 0)) {
    const reason = 'the peak of this machine was not calibrated';
    return { state, reading: { bytesPerSecond, utilization: Number.NaN, reason } };
  }
  const utilization = bytesPerSecond / peakBytesPerSecond;
  if (utilization > mostTimesPeak)
    return { state, reading: unknown('the counter says more than is possible') };
  return { state, reading: { bytesPerSecond, utilization: Math.min(1, utilization), reason: null } };
}
