/** Whether a limit may be lowered, from what is in use now. Pure: the same rule before every write. */

export interface ShrinkFigures {
  readonly usageBytes: number;
  /** What the kernel cannot take back. */
  readonly workingSetBytes: number;
  readonly targetBytes: number;
  readonly marginBytes: number;
}

export type ShrinkStep =
  | { readonly step: 'refuse'; readonly reason: string }
  | { readonly step: 'reclaim'; readonly excessBytes: number }
  | { readonly step: 'write' };

/** Page cache is taken back first; what is needed, and the margin above it, must fit under the new limit. */
export function shrinkStep(figures: ShrinkFigures): ShrinkStep {
  const { usageBytes, workingSetBytes, targetBytes, marginBytes } = figures;
  if (workingSetBytes + marginBytes > targetBytes) {
    return {
      step: 'refuse',
      reason: `${workingSetBytes} bytes in use and a margin of ${marginBytes} do not fit under ${targetBytes}`,
    };
  }
  const excessBytes = usageBytes + marginBytes - targetBytes;
  return excessBytes > 0 ? { step: 'reclaim', excessBytes } : { step: 'write' };
}

/** A request that no kernel could be asked: a fault of the caller. */
export function checkRequest(request: object, guard: { usageMarginBytes: number; deadlineMs: number }): void {
  for (const [name, value] of Object.entries(request)) {
    if (typeof value === 'number' && !(Number.isSafeInteger(value) && value >= 0)) {
      throw new RangeError(`${name}: found ${value}, give whole bytes from 0 on, or 'max'`);
    }
  }
  for (const name of ['usageMarginBytes', 'deadlineMs'] as const) {
    if (!(Number.isFinite(guard[name]) && guard[name] >= 0)) {
      throw new RangeError(`${name}: found ${guard[name]}, give a number from 0 on`);
    }
  }
}
