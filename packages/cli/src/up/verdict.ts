/** From evidence to the JSON object of `--check`: what was seen, and every reason why it is not good enough. Pure. */
import type { AgentSample } from '@nautilus/contracts';
import type { Readiness } from './services.ts';

export interface ContainerEvidence {
  readonly leasedBytes: number;
  readonly allocations: number;
  readonly bytesCopied: number;
  /** Null for a container that reads no frames. */
  readonly framesVerified: number | null;
  readonly checksumErrors: number;
  /** Saw bytes appear in a mapping that it had before; null for a container that reads no frames. */
  readonly readInPlace: boolean | null;
  /** Last words of a container that ended by itself. */
  readonly ended: string | null;
}

export interface Evidence {
  readonly services: Readonly<Record<string, Readiness & { scraped: boolean }>>;
  readonly containers: Readonly<Record<string, ContainerEvidence>>;
  readonly sample: AgentSample | null;
  readonly alerts: number;
  /** Null: its memory did not come back, or it could not be killed. */
  readonly reclaimedAfterKillMs: number | null;
  readonly reclaimedBytes: number;
}

/** kill -9 to memory back in the pool. */
export const reclaimGoalMs = 100;

export interface Verdict {
  readonly ok: boolean;
  readonly services: Evidence['services'];
  readonly containers: Evidence['containers'];
  readonly segments: number;
  readonly bytesShared: number;
  readonly bytesCopied: number;
  readonly allocations: number;
  readonly reclaimedAfterKillMs: number | null;
  readonly alerts: number;
  readonly problems: readonly string[];
}

/** The verdict of a run that did not come as far as evidence. */
export function failed(problem: string): Verdict {
  const nothing = {
    services: {},
    containers: {},
    segments: 0,
    bytesShared: 0,
    bytesCopied: 0,
    allocations: 0,
    alerts: 0,
  };
  return { ok: false, ...nothing, reclaimedAfterKillMs: null, problems: [problem] };
}

export function judge(evidence: Evidence): Verdict {
  const problems: string[] = [];
  for (const [name, { ready, reason, scraped }] of Object.entries(evidence.services)) {
    if (!ready) problems.push(`${name} is not ready: ${reason}`);
    if (!scraped) problems.push(`${name} cannot be scraped`);
  }
  let bytesCopied = evidence.sample?.counters.bytesCopied ?? 0;
  for (const [name, container] of Object.entries(evidence.containers)) {
    bytesCopied += container.bytesCopied;
    if (container.ended !== null) problems.push(`${name} ended: ${container.ended}`);
    if (container.readInPlace === false)
      problems.push(`${name} did not see the writer's bytes appear in its mapping`);
    if (container.leasedBytes === 0) problems.push(`${name} leased nothing`);
    if (container.allocations === 0) problems.push(`${name} allocated nothing`);
    if (container.framesVerified === 0) problems.push(`${name} verified no frame of the writer`);
    if (container.checksumErrors > 0)
      problems.push(`${name} saw ${container.checksumErrors} wrong checksums`);
  }
  if (bytesCopied > 0) problems.push(`${bytesCopied} bytes were copied on the way to readers`);
  const { sample, reclaimedAfterKillMs, reclaimedBytes } = evidence;
  if (sample === null) problems.push('no sample of the agent arrived');
  else if (sample.counters.bytesShared === 0) problems.push('no segment was shared');
  if (reclaimedAfterKillMs === null || reclaimedBytes === 0)
    problems.push('the memory of a killed container did not come back');
  else if (reclaimedAfterKillMs > reclaimGoalMs) {
    problems.push(
      `the memory of a killed container came back after ${reclaimedAfterKillMs} ms, later than ${reclaimGoalMs} ms`,
    );
  }
  return {
    ok: problems.length === 0,
    services: evidence.services,
    containers: evidence.containers,
    segments: sample?.segments.live ?? 0,
    bytesShared: sample?.counters.bytesShared ?? 0,
    bytesCopied,
    allocations: sample?.counters.allocations ?? 0,
    reclaimedAfterKillMs,
    alerts: evidence.alerts,
    problems,
  };
}
