/** A report that keeps what it is told, and a wait for what comes with time. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Figures, Report, ReportEvent } from '../library/report.ts';

export interface Collected {
  readonly report: Report;
  readonly lines: { readonly event: ReportEvent; readonly figures: Figures }[];
  of(event: ReportEvent): readonly Figures[];
}

export function collect(): Collected {
  const lines: { event: ReportEvent; figures: Figures }[] = [];
  return {
    lines,
    report: (event, figures = {}) => lines.push({ event, figures }),
    of: (event) => lines.filter((line) => line.event === event).map(({ figures }) => figures),
  };
}

/** Fails after five seconds with what was waited for. */
export async function until(what: string, isTrue: () => boolean): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!isTrue()) {
    if (performance.now() > deadline) throw new Error(`not within 5 s: ${what}`);
    await sleep(5);
  }
}
