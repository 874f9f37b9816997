/** Totals never fall, whoever restarts. */
import { describe, expect, it } from 'vitest';
import { sampleOf } from '../testing/sample.ts';
import { addTotals, noTotals, type Totals } from './totals.ts';

type Options = Parameters<typeof sampleOf>[0];

function totalsAfter(...options: Options[]): Totals {
  const samples = options.map(sampleOf);
  return samples.reduce(
    (totals, sample, index) => addTotals(totals, samples[index - 1] ?? null, sample),
    noTotals,
  );
}

describe('totals', () => {
  it('begin with what the agent has counted so far, and follow it', () => {
    expect(
      totalsAfter({ zeroCopyOperations: { lease: 10 } }, { zeroCopyOperations: { lease: 12, grant: 1 } })
        .zeroCopyOperations,
    ).toEqual({ lease: 12, grant: 1 });
  });

  it('go on when an agent restarts and counts from zero', () => {
    const restarted = { instance: 'agent-2' };
    expect(
      totalsAfter(
        { zeroCopyOperations: { lease: 10 } },
        { ...restarted, zeroCopyOperations: { lease: 3 } },
        { ...restarted, zeroCopyOperations: { lease: 4 } },
      ).zeroCopyOperations,
    ).toEqual({ lease: 14 });
  });

  it('count all of a new agent even when it has overtaken the old one', () => {
    expect(
      totalsAfter(
        { zeroCopyOperations: { lease: 10 } },
        { instance: 'agent-2', zeroCopyOperations: { lease: 15 } },
      ).zeroCopyOperations,
    ).toEqual({ lease: 25 });
  });

  it('take the stalls of the kernel through a restart of the agent, and through a boot', () => {
    expect(
      totalsAfter(
        { psiSomeTotalUs: 500 },
        { instance: 'agent-2', psiSomeTotalUs: 700 },
        { instance: 'agent-3', psiSomeTotalUs: 50 },
      ).stallSomeUs,
    ).toBe(750);
  });

  it('are null where the host has no PSI', () => {
    expect(totalsAfter({}, {})).toMatchObject({ stallSomeUs: null, stallFullUs: null });
  });
});
