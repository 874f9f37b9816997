/** What a system check comes to: a grade that follows from the evidence alone. Pure. */

export interface Finding {
  readonly check: string;
  readonly state: 'passed' | 'failed' | 'skipped';
  /** A failed one with `isVital` means: do not run on this. */
  readonly isVital: boolean;
  /** What was seen, with its numbers; never empty. */
  readonly evidence: string;
  readonly tookMs: number;
}

export const grades = {
  A: 'every check passed',
  B: 'nothing failed, but something could not be checked',
  C: 'something failed that containers can live without for a while',
  F: 'something failed that containers need',
} as const;
export type Grade = keyof typeof grades;

export function gradeOf(findings: readonly Finding[]): Grade {
  const failed = findings.filter(({ state }) => state === 'failed');
  if (findings.length === 0 || failed.some(({ isVital }) => isVital)) return 'F';
  if (failed.length > 0) return 'C';
  return findings.some(({ state }) => state === 'skipped') ? 'B' : 'A';
}
