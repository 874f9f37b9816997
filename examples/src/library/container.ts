/** What a container's program is given, and the shape that all of them share. */
import type { LoadTrace } from '../traces/trace-files.ts';
import type { Platform } from './platform.ts';
import type { Report } from './report.ts';

export interface ContainerOptions {
  readonly client: Platform;
  /** The program runs until this is aborted. */
  readonly signal: AbortSignal;
  readonly report: Report;
  readonly traces: LoadTrace;
  /** Begins to read the lines that an operator types. Only the sandbox does: a terminal has one reader. */
  readonly commands?: () => AsyncIterable<string>;
}

export type RunContainer = (options: ContainerOptions) => Promise<void>;
