/** A container for tests of the limit policy: sizes in MiB, steps of a minute. */
import { decideLimit } from '../limits/decide.ts';
import { defaultTuning } from '../limits/tuning.ts';
import type { LimitDecision, LimitObservation, LimitSettings, LimitState } from '../limits/types.ts';

export const mebibyte = 1024 ** 2;
export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const startAt = 1_700_000_000_000;

export const settings: LimitSettings = {
  minimumBytes: 64 * mebibyte,
  maximumBytes: 4096 * mebibyte,
  policy: 'adaptive',
  resize: 'any-time',
  tuning: defaultTuning,
};

export type Step = Partial<LimitObservation> & { readonly mib?: number; readonly lateMs?: number };

/** A controller and its container: each step a minute after the last unless it says when, the limit in force the last one. */
export class Driver {
  state: LimitState | null = null;
  at = startAt;
  limitBytes: number;
  #mib = 1000;

  readonly settings: LimitSettings;

  constructor(changes: Partial<LimitSettings> = {}) {
    this.settings = { ...settings, ...changes };
    this.limitBytes = this.settings.maximumBytes;
  }

  step({ mib, lateMs, ...changes }: Step = {}): LimitDecision {
    this.#mib = mib ?? this.#mib;
    this.at = changes.at ?? this.at + minuteMs;
    const workingSetBytes = this.#mib * mebibyte;
    const observation: LimitObservation = {
      at: this.at,
      workingSetBytes,
      peakBytes: workingSetBytes,
      limitBytes: this.limitBytes,
      oomKills: 0,
      stalls: 0,
      started: false,
      controllerRestarted: false,
      ...changes,
    };
    const decision = decideLimit(this.state, observation, this.settings, this.at + (lateMs ?? 0));
    this.state = decision.state;
    this.limitBytes = decision.limitBytes;
    return decision;
  }

  run(minutes: number, step: Step = {}): LimitDecision {
    let decision = this.step(step);
    for (let minute = 1; minute < minutes; minute += 1) decision = this.step(step);
    return decision;
  }

  get limitMib(): number {
    return this.limitBytes / mebibyte;
  }
}
