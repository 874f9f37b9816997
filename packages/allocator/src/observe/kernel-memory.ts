/** An observation of a runtime in the words of the contracts. Pure. */
import type { KernelMemory } from '@nautilus/contracts';
import type { Observation } from '../runtimes/runtime.ts';

export interface Life {
  readonly runtime: string;
  /** Unix ms; null: it ran before it was first seen. */
  readonly startedAt: number | null;
  /** Lives that ended since the agent began. */
  readonly restarts: number;
}

const figures = [
  'usageBytes',
  'workingSetBytes',
  'anonBytes',
  'fileBytes',
  'swapBytes',
  'oomKills',
  'highEvents',
  'maxEvents',
] as const;

export function kernelMemoryOf(observation: Observation, life: Life): KernelMemory {
  const { container, limitBytes, psi } = observation;
  const missing: Record<string, string> = {};
  for (const field of [...figures, 'limitBytes', 'psi'] as const) {
    if (observation[field] === null) missing[field] = observation.missing[field] ?? 'not told by the runtime';
  }
  if (life.startedAt === null) missing['startedAt'] = 'it ran before the agent began';
  return {
    runtime: life.runtime,
    incarnation: container.incarnation,
    ...(Object.fromEntries(figures.map((field) => [field, observation[field]])) as Pick<
      Observation,
      (typeof figures)[number]
    >),
    limitBytes: limitBytes === 'max' ? null : limitBytes,
    hasNoLimit: limitBytes === 'max',
    psiSomeTotalUs: psi?.someTotalUs ?? null,
    psiFullTotalUs: psi?.fullTotalUs ?? null,
    startedAt: life.startedAt,
    restarts: life.restarts,
    missing,
  };
}
