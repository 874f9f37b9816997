/** The reason of one limit in words, for `plan.explain` and the decisions stream. */
import { formatBytes } from '@nautilus/contracts';
import type { Move } from './move.ts';
import type { LimitNumbers, LimitObservation, LimitSettings, LimitVerdict } from './types.ts';

type Tell = (numbers: LimitNumbers, observation: LimitObservation, settings: LimitSettings) => string;

const because: Record<LimitVerdict, Tell> = {
  'cold-start': ({ observedMs }, _, { tuning }) =>
    `its maximum, until ${minutes(tuning.coldStartMs)} of its life were seen (${minutes(observedMs)} so far)`,
  raise: (numbers, observation) => `raised at once: ${needs(numbers, observation)}`,
  lower: (numbers, observation) => `lowered: ${needs(numbers, observation)}`,
  steady: (numbers, observation) => needs(numbers, observation),
  'dead-band': ({ targetBytes }) => `stays: ${formatBytes(targetBytes)} would be too small a change`,
  'cool-down': ({ targetBytes }, _, { tuning }) =>
    `stays: it moved, or was out of sight, less than ${minutes(tuning.coolDownMs)} ago (${formatBytes(targetBytes)} would follow)`,
  contract: ({ targetBytes }, _, { resize }) =>
    `stays: its contract is ${resize} (${formatBytes(targetBytes)} would follow when it starts)`,
  stale: () => 'stays: the observation is too old to act on, or its clock is ahead',
  'controller-restarted': () => 'stays: the controller has just started',
  'over-maximum': ({ workingSetBytes }, _, { maximumBytes }) =>
    `never below what is in use: ${formatBytes(workingSetBytes)}, although its maximum is ${formatBytes(maximumBytes)}`,
};

export function wordsFor(
  { limitBytes, verdict }: Move,
  numbers: LimitNumbers,
  observation: LimitObservation,
  settings: LimitSettings,
): string {
  return `${formatBytes(limitBytes)}, ${because[verdict](numbers, observation, settings)}`;
}

function needs(
  { workingSetBytes, peakBytes, marginShare, guardBytes, observedMs }: LimitNumbers,
  { oomKills, stalls }: LimitObservation,
): string {
  const hurt =
    oomKills > 0
      ? `${oomKills} OOM kills since the last step; `
      : stalls > 0
        ? 'it was held at its limit; '
        : '';
  const guard = guardBytes > 0 ? `; below ${formatBytes(guardBytes)} it suffered before` : '';
  return (
    `${hurt}uses ${formatBytes(workingSetBytes)}, remembered peak ${formatBytes(peakBytes)} of ${minutes(observedMs)} seen, ` +
    `margin ${Math.round(marginShare * 1000) / 10}%${guard}`
  );
}

function minutes(durationMs: number): string {
  return durationMs < 7_200_000
    ? `${Math.round(durationMs / 60_000)}min`
    : `${Math.round(durationMs / 360_000) / 10}h`;
}
