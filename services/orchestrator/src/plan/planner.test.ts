import { describe, expect, it } from 'vitest';
import { container, hostOf, MiB, now, policy } from '../testing/planner-cases.ts';
import { planBudgets } from './planner.ts';
import type { ContainerState, HostSnapshot } from './types.ts';

function plan(snapshot: HostSnapshot) {
  const result = planBudgets(snapshot, policy, now);
  const budgets = Object.fromEntries(
    result.budgets.map(({ container: name, budgetBytes }) => [name, budgetBytes / MiB]),
  );
  const reasons = Object.fromEntries(result.budgets.map(({ container: name, reason }) => [name, reason]));
  return { ...result, budgets, reasons };
}

const old = (budgetMiB: number, ageMs = 60_000): Pick<ContainerState, 'desired'> => ({
  desired: { budgetBytes: budgetMiB * MiB, decidedAt: now - ageMs },
});
const guaranteed = { priority: 'critical', policy: 'guaranteed' } as const;

describe('what a container wants', () => {
  it.each<{ title: string; state: ContainerState; budget: number; reason: string }>([
    {
      title: 'its minimum, when it holds nothing',
      state: container('a'),
      budget: 64,
      reason: 'holds nothing: wants 64MiB, its minimum',
    },
    {
      title: 'what it holds and headroom',
      state: container('a', { leasedBytes: 400 * MiB }),
      budget: 500,
      reason: 'holds 400MiB: wants 500MiB, with 25% headroom',
    },
    {
      title: 'what it was refused on top',
      state: container('a', { leasedBytes: 400 * MiB, refusedBytes: 100 * MiB }),
      budget: 600,
      reason: 'holds 400MiB and was refused 100MiB: wants 600MiB, with 25% headroom',
    },
    {
      title: 'no more than its maximum',
      state: container('a', { leasedBytes: 1000 * MiB }),
      budget: 1024,
      reason: 'holds 1000MiB: wants 1GiB, its maximum (1.2GiB would follow)',
    },
    {
      title: 'the most it ever held, when that is guaranteed',
      state: container('a', { spec: guaranteed, leasedBytes: 100 * MiB, highWaterBytes: 400 * MiB }),
      budget: 500,
      reason: 'holds 100MiB and was guaranteed its high water of 400MiB: wants 500MiB, with 25% headroom',
    },
    {
      title: 'only what it holds, when its high water is not guaranteed',
      state: container('a', { leasedBytes: 100 * MiB, highWaterBytes: 400 * MiB }),
      budget: 125,
      reason: 'holds 100MiB: wants 125MiB, with 25% headroom',
    },
    {
      title: 'whole granules',
      state: container('a', { leasedBytes: 80 * MiB + 1 }),
      budget: 100.0625,
      reason: 'holds 80.0MiB: wants 100MiB, with 25% headroom',
    },
  ])('$title', ({ state, budget, reason }) => {
    const { budgets, reasons } = plan(hostOf([state]));
    expect(budgets).toEqual({ a: budget });
    expect(reasons['a']).toBe(reason);
  });
});

describe('when not everything fits', () => {
  it('serves wants by priority and leaves the rest to nobody', () => {
    const host = hostOf(
      [
        container('hi', { spec: { priority: 'high' }, leasedBytes: 400 * MiB }),
        container('lo', { spec: { priority: 'low' }, leasedBytes: 400 * MiB }),
      ],
      920 * MiB,
    );
    const { budgets, reasons, plannedBytes } = plan(host);
    expect(budgets).toEqual({ hi: 500, lo: 420 });
    expect(reasons['lo']).toContain('gets 420MiB: the rest of 920MiB is held, or goes to higher priorities');
    expect(plannedBytes).toBe(920 * MiB);
    const { budgets: roomy, plannedBytes: used } = plan({ ...host, grantableBytes: 4096 * MiB });
    expect([roomy, used]).toEqual([{ hi: 500, lo: 500 }, 1000 * MiB]);
  });

  it('cuts lower priorities towards their minimum, and asks them to give back', () => {
    const { budgets, reasons } = plan(
      hostOf(
        [
          container('crit', { spec: { priority: 'critical' }, leasedBytes: 600 * MiB }),
          container('mid', { leasedBytes: 300 * MiB }),
          container('low', { spec: { priority: 'low' }, leasedBytes: 300 * MiB }),
        ],
        1000 * MiB,
      ),
    );
    expect(budgets).toEqual({ crit: 600, mid: 300, low: 100 });
    expect(reasons['low']).toBe(
      'holds 300MiB: wants 375MiB, with 25% headroom; is cut to 100MiB: what is held or guaranteed needs 1.2GiB ' +
        'and the host has 1000MiB, so low burstable gives way; it is asked to give back 200MiB',
    );
  });

  it('cuts equals in proportion to what they hold above their minimum', () => {
    const { budgets } = plan(
      hostOf(
        [container('a', { leasedBytes: 164 * MiB }), container('b', { leasedBytes: 364 * MiB })],
        328 * MiB,
      ),
    );
    expect(budgets).toEqual({ a: 114, b: 214 });
  });

  it('keeps the high water of a guarantee ahead of what higher priorities merely hold, but not of critical', () => {
    const low = container('keeper', {
      spec: { priority: 'low', policy: 'guaranteed' },
      leasedBytes: 100 * MiB,
      highWaterBytes: 300 * MiB,
    });
    const high = container('high', { spec: { priority: 'high' }, leasedBytes: 300 * MiB });
    const critical = container('crit', { spec: { priority: 'critical' }, leasedBytes: 300 * MiB });
    expect(plan(hostOf([low, high], 400 * MiB)).budgets).toEqual({ keeper: 300, high: 100 });
    expect(plan(hostOf([low, critical], 400 * MiB)).budgets).toEqual({ keeper: 100, crit: 300 });
  });

  it('does not count what lingers as capacity', () => {
    const host = {
      ...hostOf([container('a', { leasedBytes: 400 * MiB })], 800 * MiB),
      lingeringBytes: 350 * MiB,
    };
    expect(plan(host)).toMatchObject({ capacityBytes: 450 * MiB, budgets: { a: 450 } });
  });

  it('says so when lingering bytes leave less than the minimums, and then serves these by priority', () => {
    const host = hostOf([container('a', { spec: guaranteed }), container('b')], 100 * MiB);
    const { budgets, reasons } = plan(host);
    expect(budgets).toEqual({ a: 64, b: 36 });
    expect(reasons['b']).toContain('below its minimum: all minimums need 128MiB and the host has 100MiB');
  });

  it('asks whoever holds more than its maximum to give back', () => {
    const { budgets, reasons } = plan(hostOf([container('a', { leasedBytes: 1100 * MiB })]));
    expect(budgets).toEqual({ a: 1024 });
    expect(reasons['a']).toContain('holds more than its maximum of 1GiB; it is asked to give back 76MiB');
  });
});

describe('what stays as it is', () => {
  it.each([
    { title: 'a raise inside the dead band', was: 480, leased: 400, refused: 0, budget: 480 },
    { title: 'a cut inside the dead band', was: 520, leased: 400, refused: 0, budget: 520 },
    { title: 'not a raise at the edge of it', was: 400, leased: 336, refused: 0, budget: 420 },
    { title: 'not when a refusal asks', was: 480, leased: 380, refused: 25, budget: 500 },
    { title: 'not when less is held than planned', was: 400, leased: 401, refused: 0, budget: 501.25 },
  ])('$title: from $was', ({ was, leased, refused, budget }) => {
    const state = container('a', { leasedBytes: leased * MiB, refusedBytes: refused * MiB, ...old(was) });
    expect(plan(hostOf([state])).budgets).toEqual({ a: budget });
  });

  it('gives the dead band as the reason', () => {
    const { reasons } = plan(hostOf([container('a', { leasedBytes: 400 * MiB, ...old(480) })]));
    expect(reasons['a']).toContain('stays at 480MiB: the change is below 5% of it');
  });

  it('does not take back at once what was just given, unless someone needs it', () => {
    const raised = container('a', { leasedBytes: 100 * MiB, ...old(800, 3_000) });
    const roomy = plan(hostOf([raised]));
    expect(roomy.budgets).toEqual({ a: 800 });
    expect(roomy.reasons['a']).toContain('stays at 800MiB: that was decided 3s ago, and there is room');
    const needy = container('b', { leasedBytes: 400 * MiB, refusedBytes: 200 * MiB });
    expect(plan(hostOf([raised, needy], 1000 * MiB)).budgets).toEqual({ a: 125, b: 700 });
    expect(plan(hostOf([{ ...raised, ...old(800) }])).budgets).toEqual({ a: 125 });
  });

  it('lets the higher priority keep what it was given, where there is room for one', () => {
    const states = [
      container('a', { spec: { priority: 'low' }, ...old(300, 3_000) }),
      container('z', { spec: { priority: 'high' }, ...old(300, 3_000) }),
    ];
    expect(plan(hostOf(states, 378 * MiB)).budgets).toEqual({ a: 64, z: 300 });
  });

  it('lets a dead band go where the sum would not fit', () => {
    const states = [
      container('a', { leasedBytes: 400 * MiB, ...old(520) }),
      container('b', { leasedBytes: 320 * MiB, refusedBytes: 100 * MiB, ...old(400) }),
    ];
    expect(plan(hostOf(states, 1000 * MiB)).budgets).toEqual({ a: 500, b: 500 });
  });
});

describe('what is not known', () => {
  it.each([
    { title: 'too old', at: now - 15_001, why: 'the host was last reported 15s ago, longer than 15s' },
    {
      title: 'from a clock far ahead',
      at: now + 20_000,
      why: 'the host was reported 20s ahead of this clock',
    },
  ])('freezes the plan of a host that is $title', ({ at, why }) => {
    const states = [container('a', { leasedBytes: 400 * MiB, ...old(100) }), container('b')];
    const result = plan({ ...hostOf(states), at });
    expect(result.frozen).toContain(why);
    expect(result.budgets).toEqual({ a: 100, b: 64 });
    expect(result.reasons['a']).toContain(`keeps its budget: ${why}`);
  });

  it('keeps the budget of one container that is not reported any more, and plans the others in the rest', () => {
    const silent = container('a', { leasedBytes: 10 * MiB, at: now - 60_000, ...old(700) });
    const needy = container('b', { leasedBytes: 400 * MiB });
    const result = plan(hostOf([silent, needy], 1100 * MiB));
    expect(result.frozen).toBeNull();
    expect(result.budgets).toEqual({ a: 700, b: 400 });
    expect(result.reasons['a']).toBe('keeps its budget: it was last reported 60s ago, longer than 15s');
    expect(plan(hostOf([silent, needy], 600 * MiB)).frozen).toContain('have 700MiB, more than the 600MiB');
  });
});
