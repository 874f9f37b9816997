/** The verdicts of the monitor as a detector, and how detectors are counted. */
import { advanceLeak, judgeLeak, type LeakRule, type LeakVerdict, leakRule, noLeak } from '@nautilus/monitor';
import { quantile } from '../figure.ts';
import type { Series } from '../series/series.ts';
import { onsetMs, withLeak } from './inject.ts';
import { type Detector, hourMs } from './peers.ts';

/** Shares of the recording as bytes of a limit; its size changes no verdict. */
const limitBytes = 2 ** 30;

/** Alarm is the first verdict that is one of `those`. */
export function shipped(those: readonly LeakVerdict[], rule: LeakRule = leakRule): Detector {
  return ({ atMs, demand }, fromMs) => {
    let state = noLeak;
    let isEarly = false;
    for (const [index, at] of atMs.entries()) {
      state = advanceLeak(state, { at, valueBytes: (demand[index] ?? 0) * limitBytes, limitBytes }, rule);
      if (!those.includes(judgeLeak(state, at).verdict)) continue;
      if (at >= fromMs) return { atMs: at, isEarly };
      isEarly = true;
    }
    return { atMs: null, isEarly };
  };
}

/** Series with an alarm. */
export function alarmed(series: readonly Series[], detector: Detector): readonly string[] {
  return series.filter((one) => detector(one, 0).atMs !== null).map(({ id }) => id);
}

export interface Found {
  /** 0 to 1; an alarm before the leak began finds nothing. */
  readonly recall: number;
  /** From the onset; NaN if nothing was found. */
  readonly medianDelayHours: number;
}

export function findLeaks(series: readonly Series[], perHour: number, detector: Detector): Found {
  const delays = series.flatMap((one) => {
    const onset = (one.atMs[0] ?? 0) + onsetMs;
    const { atMs, isEarly } = detector(withLeak(one, perHour), onset);
    return atMs === null || isEarly ? [] : [(atMs - onset) / hourMs];
  });
  return {
    recall: series.length === 0 ? Number.NaN : delays.length / series.length,
    medianDelayHours: delays.length === 0 ? Number.NaN : quantile(delays, 0.5),
  };
}
