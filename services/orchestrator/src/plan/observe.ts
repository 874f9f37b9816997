/**
 * Turns what an agent stated of a container into the observation that the limit policy reads. Counters become counts
 * since the round before; a write of ours that failed is the limit in force and nobody else's doing.
 */
import type { ObservedKernel, RememberedContainer } from '@nautilus/contracts';
import type { LimitObservation } from '../limits/types.ts';
import { granuleBytes } from './granule.ts';
import type { ContainerState } from './types.ts';

/** So near to its limit that waiting for memory means that the limit holds it. */
const nearLimit = 0.9;
/** Share of the time in which a task waited for memory. Page cache that comes and goes at the limit stays far below. */
const stallShare = 0.05;

/** Null when the kernel's figure for its use is missing: then leases alone are known. */
export function observationOf(state: ContainerState): LimitObservation | null {
  const { kernel, remembered } = state;
  if (kernel === undefined || kernel.workingSetBytes === null) return null;
  const before = remembered?.incarnation === kernel.incarnation ? remembered : undefined;
  const workingSetBytes = Math.max(kernel.workingSetBytes, state.leasedBytes);
  const peakBytes = Math.max(kernel.peakWorkingSetBytes ?? 0, workingSetBytes);
  const counted = since(kernel.oomKills, before?.oomKills);
  return {
    at: state.at,
    workingSetBytes,
    peakBytes,
    limitBytes: Math.max(granuleBytes, limitInForce(state, kernel) - (remembered?.loanBytes ?? 0)),
    oomKills: Math.max(counted, state.toldOomKills ?? 0),
    stalls: isHeld(state, kernel, before, peakBytes) ? 1 : 0,
    // At first sight too: a runtime that sizes its heap once must not keep a limit that nobody chose for it.
    started: before === undefined,
    controllerRestarted: false,
  };
}

/** What binds it now. Before the agent could have obeyed, that is what was decided. */
function limitInForce(state: ContainerState, kernel: ObservedKernel): number {
  const decided = state.desired?.budgetBytes ?? state.budgetBytes;
  if (kernel.limitBytes === null) return decided;
  const answered = state.desired === null || state.at > state.desired.decidedAt;
  return answered ? kernel.limitBytes : decided;
}

function isHeld(
  { at }: ContainerState,
  kernel: ObservedKernel,
  before: RememberedContainer | undefined,
  peakBytes: number,
): boolean {
  if (kernel.limitBytes === null || peakBytes < nearLimit * kernel.limitBytes || before === undefined) {
    return false;
  }
  if (kernel.psiSomeTotalUs !== null && before.psiSomeTotalUs !== null) {
    const passedUs = (at - before.limit.at) * 1000;
    return passedUs > 0 && kernel.psiSomeTotalUs - before.psiSomeTotalUs >= stallShare * passedUs;
  }
  return since(kernel.maxEvents, before.maxEvents) > 0;
}

/** A counter that was not there before says nothing about the time since. */
function since(now: number | null, before: number | null | undefined): number {
  return now === null || before === null || before === undefined ? 0 : Math.max(0, now - before);
}
