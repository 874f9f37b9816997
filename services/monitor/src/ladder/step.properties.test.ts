/** What must hold on a ladder for every series of readings: never late with EMERGENCY, monotone, no flapping, a whole story. */
import type { Tier } from '@nautilus/contracts';
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { calmLadder, type LadderSettings, type LadderState, type Transition } from './ladder.ts';
import { rank, stepLadder } from './step.ts';

const steps = { info: 0.6, warning: 0.8, critical: 0.9, emergency: 0.95 } as const;
const settings: LadderSettings = { steps, gap: 0.05, raiseHoldMs: 2_000, clearHoldMs: 4_000 };

/** Mostly whole percents around the steps, where mistakes live, now and then something that was not measured. */
const value = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 50, max: 100 }).map((percent) => percent / 100) },
  { weight: 1, arbitrary: fc.constant(Number.NaN) },
  { weight: 1, arbitrary: fc.double({ min: 0, max: 1, noNaN: true }) },
);
/** Runs of one value, so that holds are reached. */
const series = fc
  .array(fc.tuple(value, fc.integer({ min: 1, max: 7 })), { maxLength: 25 })
  .map((runs) => runs.flatMap(([level, length]) => Array.from({ length }, () => level)));

interface Seen {
  readonly tier: Tier | null;
  readonly transitions: readonly Transition[];
}

function run(values: readonly number[]): Seen[] {
  let state: LadderState = calmLadder;
  return values.map((level, index) => {
    const step = stepLadder(state, { value: level, at: index * 1_000 }, settings);
    state = step.state;
    return { tier: state.tier, transitions: step.transitions };
  });
}

describe('for every series of readings, a ladder', () => {
  it('is in EMERGENCY whenever the newest reading is above its step', () => {
    fc.assert(
      fc.property(series, (values) =>
        run(values).every(
          (seen, index) => !((values[index] ?? 0) >= steps.emergency) || seen.tier === 'emergency',
        ),
      ),
    );
  });

  it('is never higher for lower values', () => {
    fc.assert(
      fc.property(series, fc.double({ min: 0, max: 0.4, noNaN: true }), (values, less) => {
        const high = run(values);
        const low = run(values.map((level) => level - less));
        return low.every((seen, index) => rank(seen.tier) <= rank(high[index]?.tier ?? null));
      }),
    );
  });

  it('does not flap inside the gap: at most one transition, and none downwards', () => {
    const inside = fc.array(fc.double({ min: 0.751, max: 0.849, noNaN: true }), { maxLength: 60 });
    fc.assert(
      fc.property(inside, (values) => {
        const told = run([0.81, 0.81, 0.81, ...values]).flatMap((seen) => seen.transitions);
        return told.length === 1 && told[0]?.tier === 'warning';
      }),
    );
  });

  it('tells every change of tier once, in order, under the key of its incident', () => {
    fc.assert(
      fc.property(series, (values) => {
        let tier: Tier | null = null;
        let key: string | null = null;
        let number = 0;
        for (const seen of run(values)) {
          for (const told of seen.transitions) {
            const isFirst = tier === null;
            if (told.previousTier !== tier) return false;
            if (isFirst) number = 0;
            number += 1;
            if (told.number !== number || (!isFirst && told.incident !== key)) return false;
            key = told.incident;
            tier = told.state === 'cleared' ? null : told.tier;
            if (told.state === 'raised' && rank(told.tier) <= rank(told.previousTier)) return false;
            if (told.state === 'lowered' && rank(told.tier) >= rank(told.previousTier)) return false;
          }
          if (seen.tier !== tier) return false;
        }
        return true;
      }),
    );
  });

  it('never lowers a tier before its clear hold has been seen below the gap', () => {
    fc.assert(
      fc.property(series, (values) =>
        run(values).every((seen, index) =>
          seen.transitions.every((told) => {
            if (told.state === 'raised') return true;
            const line = steps[told.previousTier ?? told.tier] - settings.gap;
            const measured = values.slice(0, index + 1).filter((level) => !Number.isNaN(level));
            // Five readings a second apart are four seconds.
            return measured.slice(-5).length === 5 && measured.slice(-5).every((level) => level < line);
          }),
        ),
      ),
    );
  });
});
