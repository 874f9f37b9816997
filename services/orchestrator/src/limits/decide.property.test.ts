import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { granuleBytes } from '../plan/granule.ts';
import { settings as base, mebibyte } from '../testing/limit-cases.ts';
import { decideLimit } from './decide.ts';
import { parseState } from './parse.ts';
import { type LimitDecision, type LimitObservation, type LimitState, resizeContracts } from './types.ts';

const anySettings = fc.record({
  minimumBytes: fc.integer({ min: 0, max: 1024 }).map((mib) => mib * mebibyte),
  maximumBytes: fc.integer({ min: 1024, max: 8192 }).map((mib) => mib * mebibyte + 12_345),
  policy: fc.constantFrom('adaptive', 'guaranteed', 'burstable'),
  resize: fc.constantFrom('any-time', 'any-time', 'any-time', ...resizeContracts),
  tuning: fc.constant(base.tuning),
});

/** Mostly a minute, sometimes none, a gap, or a clock set back. */
const anyPause = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 1_000, max: 120_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, -3_600_000, 3_600_000, 8 * 3_600_000) },
);

const anyStep = fc.record({
  pauseMs: anyPause,
  share: fc.oneof(
    { weight: 8, arbitrary: fc.double({ min: 0.1, max: 0.4, noNaN: true }) },
    { weight: 1, arbitrary: fc.double({ min: 0, max: 1.2, noNaN: true }) },
  ),
  burst: fc.double({ min: 1, max: 1.3, noNaN: true }),
  oomKills: fc.oneof({ weight: 20, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(3) }),
  stalls: fc.oneof({ weight: 20, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(3) }),
  started: fc.oneof({ weight: 20, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.boolean() }),
  controllerRestarted: fc.oneof(
    { weight: 20, arbitrary: fc.constant(false) },
    { weight: 1, arbitrary: fc.boolean() },
  ),
  lateMs: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(60_000) }),
  /** Someone else's limit in MiB, or null. */
  foreignMib: fc.oneof(
    { weight: 20, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.integer({ min: 10, max: 9000 }) },
  ),
  repeat: fc.integer({ min: 1, max: 90 }),
});

type Seen = {
  readonly observation: LimitObservation;
  readonly before: LimitState | null;
  readonly decision: LimitDecision;
};

function play(
  settings: typeof base,
  steps: readonly (typeof anyStep extends fc.Arbitrary<infer T> ? T : never)[],
) {
  const seen: Seen[] = [];
  let state: LimitState | null = null;
  let limitBytes = settings.maximumBytes;
  let at = 1_700_000_000_000;
  for (const { pauseMs, share, burst, lateMs, foreignMib, repeat, ...events } of steps) {
    for (let count = 0; count < repeat; count += 1) {
      at += count === 0 ? pauseMs : 60_000;
      if (count === 0 && foreignMib !== null) limitBytes = foreignMib * mebibyte;
      const workingSetBytes = Math.round(share * settings.maximumBytes);
      const quiet = { oomKills: 0, stalls: 0, started: false, controllerRestarted: false };
      const observation: LimitObservation = {
        at,
        workingSetBytes,
        peakBytes: Math.round(workingSetBytes * burst),
        limitBytes,
        ...(count === 0 ? events : quiet),
      };
      const decision: LimitDecision = decideLimit(
        state,
        observation,
        settings,
        at + (count === 0 ? lateMs : 0),
      );
      seen.push({ observation, before: state, decision });
      state = decision.state;
      limitBytes = decision.limitBytes;
    }
  }
  return seen;
}

const anyLife = fc.tuple(anySettings, fc.array(anyStep, { minLength: 1, maxLength: 40 }));
const runs = { numRuns: 150 };

describe('for any life of a container', () => {
  it('no limit is written below what is in use plus the margin, below the minimum, or above the maximum', () => {
    let writes = 0;
    fc.assert(
      fc.property(anyLife, ([settings, steps]) => {
        for (const { observation, decision } of play(settings, steps)) {
          if (!decision.changed) continue;
          writes += 1;
          const used = Math.max(observation.workingSetBytes, observation.peakBytes);
          const most = Math.floor(settings.maximumBytes / granuleBytes) * granuleBytes;
          expect(decision.limitBytes).toBeGreaterThanOrEqual(
            Math.min(used * (1 + settings.tuning.safetyMargin), most),
          );
          expect(decision.limitBytes).toBeGreaterThanOrEqual(settings.minimumBytes);
          if (decision.limitBytes > most) expect(decision.limitBytes).toBeLessThan(observation.limitBytes);
          if (used > settings.maximumBytes)
            expect(decision.limitBytes).toBeGreaterThan(observation.limitBytes);
        }
      }),
      runs,
    );
    expect(writes).toBeGreaterThan(150);
  });

  it('an OOM kill never leads to a smaller limit than none would have', () => {
    let kills = 0;
    fc.assert(
      fc.property(anyLife, fc.integer({ min: 1, max: 3 }), ([settings, steps], oomKills) => {
        const seen = play(settings, steps);
        const last = seen.at(-1);
        if (last === undefined) return;
        const now = last.observation.at;
        const calm = decideLimit(last.before, { ...last.observation, oomKills: 0 }, settings, now);
        const killed = decideLimit(last.before, { ...last.observation, oomKills }, settings, now);
        kills += 1;
        expect(killed.limitBytes).toBeGreaterThanOrEqual(calm.limitBytes);
        expect(killed.reason.numbers.targetBytes).toBeGreaterThanOrEqual(calm.reason.numbers.targetBytes);
      }),
      runs,
    );
    expect(kills).toBe(runs.numRuns);
  });

  it('nothing is lowered within the cool-down, nor by more than the largest cut', () => {
    let cuts = 0;
    fc.assert(
      fc.property(anyLife, ([settings, steps]) => {
        fc.pre(settings.resize !== 'at-start');
        let quietSince = 0;
        for (const { observation, before, decision } of play(settings, steps)) {
          const observedMs = decision.state.observedMs;
          if (decision.limitBytes < observation.limitBytes) {
            cuts += 1;
            expect(observedMs - quietSince).toBeGreaterThanOrEqual(settings.tuning.coolDownMs);
            const least = observation.limitBytes * (1 - settings.tuning.mostCut);
            expect(decision.limitBytes).toBeGreaterThanOrEqual(least);
          }
          const foreign =
            before !== null && Math.abs(observation.limitBytes - before.limitBytes) >= granuleBytes;
          if (decision.changed || foreign) quietSince = observedMs;
        }
      }),
      runs,
    );
    expect(cuts).toBeGreaterThan(100);
  });

  it('nothing changes in the step in which the controller started and in the next', () => {
    let restarts = 0;
    fc.assert(
      fc.property(anyLife, ([settings, steps]) => {
        let quiet = 0;
        for (const { observation, decision } of play(settings, steps)) {
          if (observation.controllerRestarted) {
            quiet = 2;
            restarts += 1;
          }
          if (quiet > 0) expect(decision.changed).toBe(false);
          quiet -= 1;
        }
      }),
      runs,
    );
    expect(restarts).toBeGreaterThan(10);
  });

  it('the state stays bounded, passes its own check, and the same inputs give the same bits through a checkpoint', () => {
    fc.assert(
      fc.property(anyLife, ([settings, steps]) => {
        for (const { observation, before, decision } of play(settings, steps)) {
          expect(JSON.stringify(decision.state).length).toBeLessThan(1000);
          expect(parseState(decision.state, settings.tuning, 'c').ok).toBe(true);
          const restored = JSON.parse(JSON.stringify(before)) as LimitState | null;
          const stale = decision.reason.verdict === 'stale';
          if (!stale) expect(decideLimit(restored, observation, settings, observation.at)).toEqual(decision);
        }
      }),
      { numRuns: 40 },
    );
  });
});
