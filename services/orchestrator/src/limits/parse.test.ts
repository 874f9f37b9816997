import { describe, expect, it } from 'vitest';
import { Driver, settings } from '../testing/limit-cases.ts';
import { parseObservation, parseSettings, parseState } from './parse.ts';

const observation = {
  at: 1,
  workingSetBytes: 10,
  peakBytes: 20,
  limitBytes: 30,
  oomKills: 0,
  stalls: 0,
  started: false,
  controllerRestarted: false,
};
const messageOf = (result: { ok: true } | { ok: false; fault: { message: string } }) =>
  result.ok ? null : result.fault.message;

describe('an observation', () => {
  it('passes, and its peak is no smaller than its use', () => {
    expect(parseObservation(observation, 'c')).toEqual({ ok: true, value: observation });
    expect(parseObservation({ ...observation, workingSetBytes: 25 }, 'c')).toMatchObject({
      value: { peakBytes: 25 },
    });
  });

  it.each([
    [{ workingSetBytes: Number.NaN }, 'workingSetBytes is NaN'],
    [{ workingSetBytes: -1 }, 'workingSetBytes is -1'],
    [{ workingSetBytes: 1.5 }, 'workingSetBytes is 1.5'],
    [{ peakBytes: Number.POSITIVE_INFINITY }, 'peakBytes is Infinity'],
    [{ limitBytes: 0 }, 'limitBytes is 0'],
    [{ limitBytes: 2 ** 51 }, 'limitBytes is 2251799813685248'],
    [{ at: '12' }, 'at is "12"'],
    [{ oomKills: undefined }, 'oomKills is missing'],
    [{ started: 1 }, 'started is 1'],
  ])('with %j is refused by name', (wrong, message) => {
    expect(messageOf(parseObservation({ ...observation, ...wrong }, 'web'))).toContain(
      `observation of web: ${message}, needed: `,
    );
  });

  it('that is none at all is refused', () => {
    expect(messageOf(parseObservation(null, 'web'))).toContain('found null, needed: an object');
  });
});

describe('settings', () => {
  it.each([
    [{ minimumBytes: 2 ** 40 }, 'is above the maximum'],
    [{ resize: 'sometimes' }, 'resize is "sometimes", needed: one of any-time, grow-only, at-start'],
    [{ policy: 'greedy' }, 'policy is "greedy"'],
    [{ tuning: { ...settings.tuning, bump: Number.NaN } }, 'tuning.bump is NaN'],
    [{ tuning: { ...settings.tuning, mostCut: 1.5 } }, 'mostCut 1.5 is above 1'],
    [{ tuning: { ...settings.tuning, mostGapMs: 2 ** 40 } }, 'a step would skip a bucket'],
    [{ tuning: undefined }, 'tuning is missing, needed: an object'],
  ])('with %j are refused', (wrong, message) => {
    expect(messageOf(parseSettings({ ...settings, ...wrong }, 'web'))).toContain(message);
  });

  it('as shipped pass', () => {
    expect(parseSettings(settings, 'web').ok).toBe(true);
  });
});

describe('a checkpoint', () => {
  const saved = () => {
    const driver = new Driver();
    driver.run(30 * 60);
    driver.step({ stalls: 1 });
    return driver;
  };

  it('that went through JSON goes on as if nothing had happened', () => {
    const driver = saved();
    const restored = parseState(JSON.parse(JSON.stringify(driver.state)), settings.tuning, 'web');
    expect(restored).toEqual({ ok: true, value: driver.state });
  });

  it.each([
    [
      { scar: { guardBytes: -1, weight: 1, atMs: 0 } },
      'checkpoint of web: scar.guardBytes is -1, needed: bytes from 0',
    ],
    [{ history: { peaks: [] } }, 'history.peaks is []'],
    [{ observedMs: undefined }, 'observedMs is missing'],
  ])('with %j is refused', (wrong, message) => {
    expect(messageOf(parseState({ ...saved().state, ...wrong }, settings.tuning, 'web'))).toContain(message);
  });

  it('of a longer memory is refused: its buckets would never be forgotten', () => {
    const state = saved().state;
    const peaks = Array.from({ length: 100 }, () => 1);
    const longer = { ...state, history: { ...state?.history, peaks } };
    expect(messageOf(parseState(longer, settings.tuning, 'web'))).toContain('1 to 13 numbers of bytes');
  });
});
