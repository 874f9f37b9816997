/** How long a plan takes: a host full of containers that the kernel measures, limits, loans, ceilings and reasons included. */
import type { RememberedContainer } from '@nautilus/contracts';
import { type ContainerState, decidePlan, defaultTuning, type PlanPolicy } from '@nautilus/orchestrator';
import { atMost, type Figure, plain, quantile } from '../figure.ts';

const stepMs = 57_000;
const mebibyte = 1024 ** 2;
const policy: PlanPolicy = {
  headroom: 0.25,
  deadBand: 0.05,
  staleAfterMs: 15_000,
  settleMs: 30_000,
  idleReserve: 0.1,
  tuning: defaultTuning,
};
const priorities = ['critical', 'high', 'normal', 'low', 'maintenance'] as const;
const policies = ['guaranteed', 'burstable', 'adaptive'] as const;

/** The median is judged: what else runs on the machine shows in the 99th percentile first. */
export function measurePlanner(): Figure[] {
  return [
    { containers: 1000, rounds: 300, mostMs: 10 },
    { containers: 16, rounds: 2000, mostMs: 0.5 },
  ].flatMap(({ containers, rounds, mostMs }) => {
    const times = roundsOf(containers, rounds);
    const name = `a plan of ${containers.toLocaleString('en')} containers`;
    return [
      atMost(`${name}, median`, quantile(times, 0.5), 'ms', mostMs),
      plain(`${name}, p99`, quantile(times, 0.99), 'ms'),
      plain(`${name}, p99.9`, quantile(times, 0.999), 'ms'),
    ];
  });
}

function roundsOf(containers: number, rounds: number): number[] {
  const remembered = new Map<string, RememberedContainer>();
  const desired = new Map<string, { budgetBytes: number; decidedAt: number }>();
  const times: number[] = [];
  let seed = 1;
  const state = (index: number, at: number): ContainerState => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    const name = `c${index}`;
    const workingSetBytes = Math.round((256 + (index % 12) * 64) * mebibyte * (1 + (0.1 * seed) / 2 ** 32));
    const limitBytes = desired.get(name)?.budgetBytes ?? null;
    return {
      name,
      spec: {
        minimumBytes: 64 * mebibyte,
        maximumBytes: 2048 * mebibyte,
        priority: priorities[index % 5] ?? 'normal',
        policy: policies[index % 3] ?? 'adaptive',
        resize: 'any-time',
        scale: null,
      },
      leasedBytes: 0,
      liveBytes: 0,
      highWaterBytes: 0,
      refusedBytes: 0,
      budgetBytes: limitBytes ?? 64 * mebibyte,
      connected: true,
      at,
      desired: desired.get(name) ?? null,
      remembered: remembered.get(name),
      kernel: {
        runtime: 'bench',
        incarnation: 'one',
        usageBytes: workingSetBytes,
        workingSetBytes,
        anonBytes: null,
        fileBytes: null,
        swapBytes: null,
        limitBytes,
        hasNoLimit: limitBytes === null,
        oomKills: 0,
        highEvents: 0,
        maxEvents: 0,
        psiSomeTotalUs: 0,
        psiFullTotalUs: 0,
        startedAt: null,
        restarts: null,
        missing: {},
        peakWorkingSetBytes: workingSetBytes,
        lastLimit: null,
      },
    };
  };
  for (let round = 0; round < rounds; round += 1) {
    const now = 1_700_000_000_000 + round * stepMs;
    const snapshot = {
      host: 'bench',
      grantableBytes: containers * 1024 * mebibyte,
      lingeringBytes: 0,
      at: now,
      containers: Array.from({ length: containers }, (_, index) => state(index, now)),
    };
    const begin = performance.now();
    const decision = decidePlan(snapshot, policy, now);
    if (round >= 100) times.push(performance.now() - begin);
    for (const { container, budgetBytes } of decision.plan.budgets) {
      const old = desired.get(container);
      if (old?.budgetBytes !== budgetBytes) desired.set(container, { budgetBytes, decidedAt: now });
    }
    for (const [name, value] of decision.remembered) remembered.set(name, value);
  }
  return times;
}
