/** `nautilus validate` on a live system: what it says was really done, and what is broken costs the grade. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type System, startSystem } from '../support/system.ts';

interface Verdict {
  readonly grade: string;
  readonly findings: readonly { readonly check: string; readonly state: string; readonly evidence: string }[];
}

let system: System;
beforeAll(async () => {
  system = await startSystem();
  await eventually(
    () => system.type(['explain', 'portfolio', '--json']),
    ({ out }) => out.includes('"reason"'),
    { timeoutMs: 10_000, what: 'a plan' },
  );
  await eventually(
    () => system.type(['history']),
    ({ code }) => code === 0,
    { timeoutMs: 10_000, what: 'a history' },
  );
});
afterAll(() => system[Symbol.asyncDispose]());
const env = Object.fromEntries(
  ['ALLOCATOR', 'ORCHESTRATOR', 'MONITOR', 'MAINTENANCE'].map((name) => [`NAUTILUS_${name}__PORT`, '0']),
);
const validate = async (...more: string[]) => {
  const typed = await system.type(['validate', '--json', ...more], { env });
  return { ...typed, verdict: (typed.out === '' ? null : typed.json()) as Verdict | null };
};

describe('nautilus validate', () => {
  it('passes a whole system, skips what has no fixed port, and gives everything back', async () => {
    const { code, verdict, err } = await validate();
    expect(
      verdict?.findings.filter(({ state }) => state === 'failed'),
      err,
    ).toEqual([]);
    // Metrics have no fixed port in tests: that could not be checked, and an A would be untrue.
    expect(verdict?.grade).toBe('B');
    expect(verdict?.findings.filter(({ state }) => state === 'skipped')).toHaveLength(4);
    expect(verdict?.findings.every(({ evidence }) => evidence !== '')).toBe(true);
    expect(code).toBe(0);
    const account = system.host.agent.agent.accounts.container('portfolio');
    expect(account.ok && account.value.leasedBytes).toBe(0);
  });

  it('prints a line a check and the grade for people', async () => {
    const { out } = await system.type(['validate'], { env });
    expect(out).toMatch(/^✓ a reader reads in place +65536 bytes equal/m);
    expect(out.trimEnd()).toMatch(/grade B: nothing failed, but something could not be checked$/);
  });

  it('fails a metrics page that is away, which costs a C', async () => {
    const { code, out } = await system.type(['validate', '--json'], {
      env: { ...env, NAUTILUS_MONITOR__PORT: '1' },
    });
    const verdict = JSON.parse(out) as Verdict;
    expect(verdict.grade).toBe('C');
    expect(verdict.findings.find(({ check }) => check === 'metrics of the monitor')).toMatchObject({
      state: 'failed',
    });
    expect(code).toBe(1);
  });

  it('fails a pool that cannot be leased from, which costs an F', async () => {
    const { code, verdict } = await validate('--pool', 'nowhere');
    expect(verdict?.grade).toBe('F');
    expect(
      verdict?.findings.find(({ check }) => check === 'a container leases and writes')?.evidence,
    ).toContain('unknown_pool');
    expect(code).toBe(1);
  });
});
