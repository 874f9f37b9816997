/** The line that every container writes once a second. A supervisor adds these up and notices who fell silent. */
import type { Platform } from './platform.ts';
import type { Figures, Report } from './report.ts';
import { afterEvery } from './ticker.ts';

const intervalMs = 1000;

export interface ProgressOptions {
  readonly client: Pick<Platform, 'stats'>;
  readonly signal: AbortSignal;
  readonly report: Report;
  /** At least `failures` and `liveBytes`; the rest is the container's own. */
  figures(): Figures & { readonly failures: number; readonly liveBytes: number };
}

export async function reportProgress(options: ProgressOptions): Promise<void> {
  const { client, signal, report } = options;
  await afterEvery(intervalMs, signal, () => {
    const { allocations, frees, bytesShared, bytesCopied, segmentsHeld, segmentsOpen } = client.stats();
    report('progress', {
      allocations,
      frees,
      bytesShared,
      bytesCopied,
      segments: segmentsHeld,
      segmentsOpen,
      ...options.figures(),
    });
  });
}
