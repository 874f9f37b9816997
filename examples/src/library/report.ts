/**
 * The programs' voice: JSON lines on stdout that a supervisor reads. Nothing else is written there, so every line of a
 * container can be parsed.
 */
import { NautilusError } from '@nautilus/contracts';

export type ReportEvent = 'ready' | 'progress' | 'verified' | 'error' | 'released' | 'ended';
export type Figures = Readonly<Record<string, number | string | boolean>>;
export type Report = (event: ReportEvent, figures?: Figures) => void;

export interface LineSink {
  write(line: string): unknown;
}

export function createReport(container: string, out: LineSink): Report {
  return (event, figures = {}) => {
    out.write(`${JSON.stringify({ container, event, ...figures })}\n`);
  };
}

/** The fault's code and message, and of its details what a budget refusal says: asked, granted, available. */
export function faultFigures(error: NautilusError): Figures {
  const { asked, granted, available } = error.details;
  const amounts = Object.entries({ asked, granted, available }).filter(
    (entry): entry is [string, number] => typeof entry[1] === 'number',
  );
  return { code: error.code, message: error.message, ...Object.fromEntries(amounts) };
}

/** A fault that a program lives with. What is no `NautilusError` is a bug and thrown on. */
export function expectFault(error: unknown): NautilusError {
  if (error instanceof NautilusError) return error;
  throw error;
}
