/**
 * Faults that a program lives with: each counts, and each kind is written out now and then and not a thousand times a
 * second.
 */
import type { NautilusError } from '@nautilus/contracts';
import { expectFault, faultFigures, type Report } from './report.ts';

/** The same code is silent for this long after it was reported. */
const quietMs = 10_000;

export class FaultLog {
  readonly #report: Report;
  readonly #now: () => number;
  readonly #reportedAt = new Map<string, number>();
  #total = 0;

  constructor(report: Report, now: () => number = () => performance.now()) {
    this.#report = report;
    this.#now = now;
  }

  get total(): number {
    return this.#total;
  }

  /** Counts without a line. Answers the fault; what is no `NautilusError` is a bug and thrown on. */
  count(error: unknown): NautilusError {
    const fault = expectFault(error);
    this.#total += 1;
    return fault;
  }

  /** Counts, and writes a line unless the same code was written just now. */
  note(error: unknown): void {
    const fault = this.count(error);
    const now = this.#now();
    const reportedAt = this.#reportedAt.get(fault.code);
    if (reportedAt !== undefined && now - reportedAt < quietMs) return;
    this.#reportedAt.set(fault.code, now);
    this.#report('error', faultFigures(fault));
  }
}
