/** Whether a job of a host may begin now: not during an emergency, and not after it has failed too often in a row. */
import type { Hold } from './types.ts';

export interface HoldInputs {
  /** What the emergency is, in words; null: there is none. */
  readonly emergency: string | null;
  readonly failuresInRow: number;
  readonly pauseAfter: number;
}

/** A pause outweighs an emergency: what is paused would not run after it either. */
export function decideHold({ emergency, failuresInRow, pauseAfter }: HoldInputs): Hold | null {
  if (failuresInRow >= pauseAfter) {
    return {
      kind: 'skip',
      reason: `paused after ${failuresInRow} failures in a row; a run on request that is done ends the pause`,
    };
  }
  return emergency === null ? null : { kind: 'wait', reason: `emergency: ${emergency}` };
}
