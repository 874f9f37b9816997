/** The grade follows from the findings alone, and nothing checked is no pass. */
import { describe, expect, it } from 'vitest';
import { type Finding, gradeOf } from './grade.ts';

const of = (state: Finding['state'], isVital = true): Finding => ({
  check: 'x',
  state,
  isVital,
  evidence: 'seen',
  tookMs: 1,
});

describe('gradeOf()', () => {
  for (const [findings, grade] of [
    [[], 'F'],
    [[of('passed'), of('passed', false)], 'A'],
    [[of('passed'), of('skipped', false)], 'B'],
    [[of('passed'), of('failed', false), of('skipped')], 'C'],
    [[of('failed'), of('failed', false)], 'F'],
  ] as const) {
    it(`is ${grade} for ${findings.map(({ state, isVital }) => `${state}${isVital ? '' : ' (not vital)'}`).join(', ') || 'nothing'}`, () => {
      expect(gradeOf(findings)).toBe(grade);
    });
  }
});
