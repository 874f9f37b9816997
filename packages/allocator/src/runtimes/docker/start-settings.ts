/**
 * What protects a container when nobody of us is alive, as Docker was told at its creation. Pure. Most of it is fixed
 * from then on, so it can only be read and explained.
 */
import type { InspectedContainer } from './api.ts';

export interface StartSettings {
  /** From -1000 (never chosen by the kernel's OOM killer) to 1000 (first). */
  readonly oomScoreAdj: number;
  readonly reservationBytes: number;
  /** On v1 a container at its limit then stands still instead of losing a process. */
  readonly isOomKillDisabled: boolean;
  /** What a person has to do for the rest. */
  readonly remedies: Readonly<Record<string, string>>;
}

export function startSettings(
  { HostConfig }: InspectedContainer,
  version: 1 | 2 | null,
  wantedOomScoreAdj: number | null,
): StartSettings {
  const { OomScoreAdj: oomScoreAdj, MemoryReservation: reservationBytes, OomKillDisable } = HostConfig;
  const remedies: Record<string, string> = {};
  if (wantedOomScoreAdj !== null && wantedOomScoreAdj !== oomScoreAdj) {
    remedies['oomScoreAdj'] =
      `Docker sets it at creation only: found ${oomScoreAdj}, create the container with --oom-score-adj ${wantedOomScoreAdj}`;
  }
  if (OomKillDisable === true) {
    remedies['oomKillDisable'] =
      'a container that may not be killed stands still at its limit: create it without --oom-kill-disable';
  }
  if (version !== 2) {
    const reason = 'needs cgroup v2 that the agent may write; Docker has no option for it';
    for (const field of ['minBytes', 'highBytes', 'oomGroup']) remedies[field] = reason;
  }
  return { oomScoreAdj, reservationBytes, isOomKillDisabled: OomKillDisable === true, remedies };
}
