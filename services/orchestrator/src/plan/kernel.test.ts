/** Budgets of containers that the kernel measures: in minutes, with a host that obeys. */
import type { ContainerForecast, ObservedKernel, RememberedContainer } from '@nautilus/contracts';
import { describe, expect, it } from 'vitest';
import { container, hostOf, MiB, now, policy } from '../testing/planner-cases.ts';
import { decidePlan } from './decide.ts';
import type { ContainerState, PlanDecision } from './types.ts';

const minuteMs = 60_000;

interface Use {
  readonly mib: number;
  readonly kernel?: Partial<ObservedKernel>;
  readonly spec?: Partial<ContainerState['spec']>;
  readonly state?: Partial<ContainerState>;
}

/** A host that obeys each plan before the next round, a minute later. */
class Host {
  at = now;
  capacityMib: number;
  readonly limits = new Map<string, number>();
  readonly decidedAt = new Map<string, number>();
  remembered = new Map<string, RememberedContainer>();
  quiet = false;

  constructor(capacityMib = 8192) {
    this.capacityMib = capacityMib;
  }

  round(uses: Readonly<Record<string, Use>>): PlanDecision {
    this.at += minuteMs;
    const containers = Object.entries(uses).map(([name, use]) => this.#state(name, use));
    const snapshot = { ...hostOf(containers, this.capacityMib * MiB), at: this.at - 500, quiet: this.quiet };
    const decision = decidePlan(snapshot, policy, this.at);
    for (const { container: name, budgetBytes } of decision.plan.budgets) {
      if (this.limits.get(name) !== budgetBytes) this.decidedAt.set(name, this.at);
      this.limits.set(name, budgetBytes);
    }
    for (const [name, value] of decision.remembered) this.remembered.set(name, value);
    return decision;
  }

  run(minutes: number, uses: Readonly<Record<string, Use>>): PlanDecision {
    let decision = this.round(uses);
    for (let minute = 1; minute < minutes; minute += 1) decision = this.round(uses);
    return decision;
  }

  mib(name: string): number {
    return (this.limits.get(name) ?? Number.NaN) / MiB;
  }

  #state(name: string, { mib, kernel, spec, state }: Use): ContainerState {
    const budgetBytes = this.limits.get(name) ?? 64 * MiB;
    const decidedAt = this.decidedAt.get(name);
    return container(name, {
      at: this.at - 1_000,
      budgetBytes,
      desired: decidedAt === undefined ? null : { budgetBytes, decidedAt },
      remembered: this.remembered.get(name),
      spec: { maximumBytes: 4096 * MiB, policy: 'adaptive', ...spec },
      kernel: {
        runtime: 'cgroup',
        incarnation: 'one',
        usageBytes: mib * MiB,
        workingSetBytes: mib * MiB,
        anonBytes: null,
        fileBytes: null,
        swapBytes: null,
        limitBytes: decidedAt === undefined ? null : budgetBytes,
        hasNoLimit: decidedAt === undefined,
        oomKills: 0,
        highEvents: null,
        maxEvents: null,
        psiSomeTotalUs: null,
        psiFullTotalUs: null,
        startedAt: null,
        restarts: null,
        missing: {},
        peakWorkingSetBytes: mib * MiB,
        lastLimit: null,
        ...kernel,
      },
      ...state,
    });
  }
}

const reasonOf = ({ plan }: PlanDecision, name: string) =>
  plan.budgets.find((budget) => budget.container === name)?.reason;

describe('a container that the kernel measures', () => {
  it('has its maximum for the first hour, and what its peak calls for after it', () => {
    const host = new Host();
    host.run(30, { a: { mib: 1000 } });
    expect(host.mib('a')).toBe(4096);
    const last = host.run(180, { a: { mib: 1000 } });
    expect(host.mib('a')).toBeGreaterThan(1020);
    expect(host.mib('a')).toBeLessThan(1120);
    expect(reasonOf(last, 'a')).toMatch(/MiB.*remembered peak 1000MiB|too small a change|moved, or was/);
  });

  it('is raised in the same round when it grows, and counts leases that the working set does not show', () => {
    const host = new Host();
    host.run(240, { a: { mib: 1000 } });
    host.round({ a: { mib: 1400 } });
    expect(host.mib('a')).toBeGreaterThanOrEqual(1428);
    host.round({ a: { mib: 1400, state: { leasedBytes: 2000 * MiB } } });
    expect(host.mib('a')).toBeGreaterThanOrEqual(2040);
  });

  it('is raised at once by an OOM kill, whoever told of it, and is never cut into that range while it is remembered', () => {
    for (const kill of [{ kernel: { oomKills: 1 } }, { state: { toldOomKills: 1 } }]) {
      const host = new Host();
      host.run(240, { a: { mib: 1000 } });
      const killed = host.round({ a: { mib: 1000, ...kill } });
      expect(host.mib('a')).toBeGreaterThanOrEqual(1200);
      expect(reasonOf(killed, 'a')).toContain('1 OOM kills since the last step');
      const after = host.run(300, { a: { mib: 100, kernel: { oomKills: 1 } } });
      expect(host.mib('a')).toBeGreaterThanOrEqual(1200);
      expect(after.remembered.get('a')?.limit.scar?.guardBytes).toBe(1200 * MiB);
      // Also when others need the bytes: whoever is cut into the range is killed again.
      host.capacityMib = 2000;
      host.round({
        a: { mib: 100, kernel: { oomKills: 1 }, spec: { priority: 'high' } },
        b: { mib: 700, spec: { priority: 'low' } },
      });
      expect(host.mib('a')).toBeGreaterThanOrEqual(1200);
    }
  });

  it('borrows what is idle when it is burstable, leaves a reserve, and gives back by priority', () => {
    const host = new Host(8000);
    const burst = (mib: number, priority: 'high' | 'low'): Use => ({
      mib,
      spec: { policy: 'burstable', priority, maximumBytes: 6000 * MiB },
    });
    const lent = host.run(240, { high: burst(1000, 'high'), low: burst(1000, 'low') });
    expect(host.mib('high')).toBeGreaterThan(host.mib('low'));
    expect(host.mib('high') + host.mib('low')).toBeLessThanOrEqual(8000 * 0.9);
    expect(reasonOf(lent, 'high')).toContain('that is idle, until someone needs it');
    const own = (lent.remembered.get('high')?.limit.limitBytes ?? 0) / MiB;
    expect(own).toBeLessThan(1120);
    // An adaptive newcomer comes before every loan, and the low borrower gives back first.
    const uses = { high: burst(1000, 'high'), low: burst(1000, 'low'), new: { mib: 3000 } };
    host.run(3, uses);
    expect(host.mib('new')).toBeGreaterThanOrEqual(3060);
    expect(host.mib('low')).toBeLessThan(1200);
    expect(host.mib('high')).toBeGreaterThan(host.mib('low'));
  });

  it('is held up by a forecast that is live, fresh and has held, and by no other', () => {
    const forecast = (
      changes: Partial<ContainerForecast>,
      coverage: number | null = 0.95,
    ): ContainerForecast => ({
      at: 0,
      container: 'a',
      horizons: [
        { horizonMs: 600_000, p50: 0, p90: 0, p95: 1500 * MiB, p99: 0, model: 'm', coverage },
        { horizonMs: 3_600_000, p50: 0, p90: 0, p95: 1800 * MiB, p99: 0, model: 'm', coverage },
      ],
      timeToLimitMs: null,
      state: 'live',
      reason: 'r',
      ...changes,
    });
    const after = (given: (at: number) => ContainerForecast) => {
      const host = new Host();
      host.run(240, { a: { mib: 1000 } });
      const decision = host.round({ a: { mib: 1000, state: { forecast: given(host.at + minuteMs) } } });
      return { mib: host.mib('a'), reason: reasonOf(decision, 'a') };
    };
    const followed = after((at) => forecast({ at }));
    expect(followed.mib).toBeGreaterThanOrEqual(1836);
    expect(followed.reason).toContain('foreseen to come to 1.8GiB within 60min');
    expect(after((at) => forecast({ at: at - 10 * minuteMs })).mib).toBeLessThan(1120);
    expect(after((at) => forecast({ at, state: 'cold' })).mib).toBeLessThan(1120);
    expect(after((at) => forecast({ at }, 0.5)).mib).toBeLessThan(1120);
  });

  it('keeps its budget for the looks in which the controller is new, and is remembered meanwhile', () => {
    const host = new Host();
    host.run(240, { a: { mib: 1000 } });
    const before = host.mib('a');
    host.quiet = true;
    const kept = host.round({ a: { mib: 1400 } });
    expect([host.mib('a'), reasonOf(kept, 'a')]).toEqual([
      before,
      'keeps its budget: the controller has just started',
    ]);
    host.quiet = false;
    host.round({ a: { mib: 1000 } });
    expect(host.mib('a')).toBeGreaterThanOrEqual(1400);
  });

  it('does not try a refused decrease again at once, and says what became of it', () => {
    const host = new Host();
    host.run(200, { a: { mib: 2000 } });
    const high = host.mib('a');
    host.run(400, { a: { mib: 500 } });
    const wanted = host.mib('a');
    expect(wanted).toBeLessThan(high);
    // The agent found more in use and did not write: the old limit stands.
    const refused = { outcome: 'refused' as const, reason: 'in use', at: 0 };
    const decision = host.round({ a: { mib: 500, kernel: { limitBytes: high * MiB, lastLimit: refused } } });
    expect(host.mib('a')).toBe(high);
    expect(reasonOf(decision, 'a')).toContain('the last write of its limit was refused: in use');
  });

  it('with a heap that is fixed at its start is resized only when it starts', () => {
    const host = new Host();
    const spec = { resize: 'at-start' } as const;
    host.run(240, { a: { mib: 1000, spec } });
    expect(host.mib('a')).toBe(4096);
    host.run(60, { a: { mib: 700, spec } });
    expect(host.mib('a')).toBe(4096);
    host.round({ a: { mib: 700, spec, kernel: { incarnation: 'two' } } });
    expect(host.mib('a')).toBeGreaterThan(1020);
    expect(host.mib('a')).toBeLessThan(1120);
  });

  it('is known by its leases alone when the kernel does not say what it uses', () => {
    const host = new Host();
    const decision = host.round({
      a: { mib: 0, kernel: { workingSetBytes: null }, state: { leasedBytes: 400 * MiB } },
    });
    expect(host.mib('a')).toBe(500);
    expect(decision.remembered.size).toBe(0);
  });
});
