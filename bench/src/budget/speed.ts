/** How long a round of decisions takes: every container one step, reasons included. */
import { decideLimit, defaultTuning, type LimitSettings, type LimitState } from '@nautilus/orchestrator';
import { atMost, type Figure, plain, quantile } from '../figure.ts';

const stepMs = 57_000;
const gibibyte = 1024 ** 3;
const settings: LimitSettings = {
  minimumBytes: gibibyte / 16,
  maximumBytes: 4 * gibibyte,
  policy: 'adaptive',
  resize: 'any-time',
  tuning: defaultTuning,
};

/** The median is judged: what else runs on the machine shows in the 99th percentile first. */
export function measureSpeed(): Figure[] {
  const goals = [
    { containers: 1000, mostMs: 10 },
    { containers: 16, mostMs: 0.5 },
  ];
  return goals.flatMap(({ containers, mostMs }) => {
    const times = roundsOf(containers, 1000);
    const name = `a round of ${containers.toLocaleString('en')} containers`;
    return [
      atMost(`${name}, median`, quantile(times, 0.5), 'ms', mostMs),
      plain(`${name}, p99`, quantile(times, 0.99), 'ms'),
    ];
  });
}

function roundsOf(containers: number, rounds: number): number[] {
  const states: (LimitState | null)[] = Array.from({ length: containers }, () => null);
  const limits = new Float64Array(containers).fill(4 * gibibyte);
  const times: number[] = [];
  let seed = 1;
  for (let round = 0; round < rounds; round += 1) {
    const at = 1_700_000_000_000 + round * stepMs;
    const observations = states.map((_, index) => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      const base = gibibyte * (0.25 + (index % 12) / 4);
      const workingSetBytes = Math.round(base * (1 + (0.1 * seed) / 2 ** 32));
      return {
        at,
        workingSetBytes,
        peakBytes: workingSetBytes,
        limitBytes: limits[index] ?? 0,
        oomKills: 0,
        stalls: 0,
        started: false,
        controllerRestarted: false,
      };
    });
    const begin = performance.now();
    for (const [index, observation] of observations.entries()) {
      const decision = decideLimit(states[index] ?? null, observation, settings, at);
      states[index] = decision.state;
      limits[index] = decision.limitBytes;
    }
    if (round >= 32) times.push(performance.now() - begin);
  }
  return times;
}
