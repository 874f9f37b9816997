import { describe, expect, it } from 'vitest';
import type { Series } from '../series/series.ts';
import { baselines } from './baselines.ts';
import { compare } from './compare.ts';
import { nautilus } from './ours.ts';
import { containerBytes, type ReplayPolicy, replay, scoreOf } from './replay.ts';
import { renderComparison } from './report.ts';

const minuteMs = 60_000;
const seriesOf = (demand: readonly number[], id = 'a'): Series => ({
  id,
  atMs: demand.map((_, index) => index * minuteMs),
  demand,
});
const fixed = (share: number): ReplayPolicy => ({ name: 'fixed', begin: () => () => share * containerBytes });
const flat = (minutes: number, share: number) => Array.from({ length: minutes }, () => share);

describe('a replay', () => {
  const series = seriesOf([0.5, 0.5, 0.9, 0.9, 0.5, 0.9, 0.5]);

  it('counts a run of steps above the limit once, and each kill where a breach kills', () => {
    expect(replay(fixed(0.8), series, 'open', 0)).toMatchObject({ breaches: 2, breachSteps: 3, steps: 6 });
    expect(replay(fixed(0.8), series, 'held', 0)).toMatchObject({ breaches: 2, suddenBreaches: 2 });
    expect(replay(fixed(0.8), series, 'killed', 0)).toMatchObject({ breaches: 3 });
  });

  it('has slack relative to the limit, and none above it', () => {
    const { slackPercent, efficiencyPercent, breachesPer100Hours } = scoreOf(
      replay(fixed(0.8), series, 'held', 0),
    );
    // Of six steps after the first, three use 0.5 of 0.8, and three all of it; the first of them has the start's limit.
    expect(slackPercent).toBeCloseTo((100 * (3 * 0.375)) / 6, 6);
    expect(efficiencyPercent).toBeCloseTo((100 * (3 * 0.5 + 3 * 0.8)) / (6 * 0.8), 6);
    expect(breachesPer100Hours).toBeCloseTo(2 / 0.001, 6);
  });

  it('shows a policy no more than its limit where that binds, and what happened', () => {
    const seen: string[] = [];
    const spy: ReplayPolicy = {
      name: 'spy',
      begin: () => (observation) => {
        const { workingSetBytes, peakBytes, oomKills, stalls, started } = observation;
        const share = (bytes: number) => Math.round((100 * bytes) / containerBytes);
        seen.push([share(workingSetBytes), share(peakBytes), oomKills, stalls, Number(started)].join(' '));
        return 0.8 * containerBytes;
      },
    };
    const short = seriesOf([0.5, 0.9, 0.6]);
    replay(spy, short, 'open', 0);
    replay(spy, short, 'held', 0);
    replay(spy, short, 'killed', 0);
    expect(seen).toEqual([
      '50 50 0 0 0',
      '90 90 0 0 0',
      '60 60 0 0 0',
      '50 50 0 0 0',
      '80 80 0 1 0',
      '60 60 0 0 0',
      '50 50 0 0 0',
      '0 80 1 0 0',
      '60 60 0 0 1',
    ]);
  });

  it('judges nothing of the first two hours', () => {
    const early = seriesOf([...flat(60, 0.5), 0.9, ...flat(100, 0.5)]);
    expect(replay(fixed(0.8), early, 'held')).toMatchObject({ breaches: 0, steps: 41 });
  });
});

describe('the policies', () => {
  it('of a flat container settle where their formula says', () => {
    const series = seriesOf(flat(600, 0.4));
    const slack = Object.fromEntries(
      baselines.map((policy) => [policy.name, scoreOf(replay(policy, series, 'held')).slackPercent]),
    );
    expect(slack['VPA-like: max so far × 1.15']).toBeCloseTo(100 * (1 - 1 / 1.15), 1);
    expect(slack['Koordinator-like: P98 + 10 %']).toBeCloseTo(100 * (1 - 1 / 1.1), 1);
    expect(slack['static: max of the first hour × 1.5']).toBeCloseTo(100 / 3, 1);
    const ours = scoreOf(replay(nautilus(), series, 'held'));
    expect(ours).toMatchObject({ breachesPer100Hours: 0 });
    expect(ours.slackPercent).toBeLessThan(7);
  });

  it('a maximum of an hour forgets, a maximum so far does not', () => {
    const series = seriesOf([...flat(30, 0.4), 0.8, ...flat(300, 0.4)]);
    const slackOf = (name: string) => {
      const policy = baselines.find((one) => one.name.startsWith(name));
      return policy === undefined ? Number.NaN : scoreOf(replay(policy, series, 'open')).slackPercent;
    };
    expect(slackOf('max(1 h)')).toBeCloseTo(100 * (1 - 1 / 1.1), 1);
    expect(slackOf('VPA-like')).toBeCloseTo(100 * (1 - 0.4 / 0.92), 1);
  });

  it('ours leaves a crash loop: after a kill the same demand fits', () => {
    const series = seriesOf([...flat(180, 0.4), ...flat(120, 0.46)]);
    expect(replay(nautilus(), series, 'killed')).toMatchObject({ breaches: 1 });
    expect(
      replay(baselines[2] as ReplayPolicy, seriesOf([...flat(180, 0.4), ...flat(120, 0.5)]), 'killed')
        .breaches,
    ).toBeGreaterThan(5);
  });

  it('are compared in one report that names every breach', () => {
    const text = renderComparison(
      compare('some', [seriesOf([...flat(180, 0.4), ...flat(60, 0.6)], 'abcdefghij')]),
    );
    expect(text).toContain('Nautilus, adaptive');
    expect(text).toMatch(/abcdefgh +3\.0 +40\.0 +60\.0 +50\.0/);
    expect(text).not.toContain('NaN');
  });
});
