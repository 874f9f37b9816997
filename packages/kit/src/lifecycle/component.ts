/** What an app is made of: parts with a beginning, a winding down and an end. */
import type { Logger } from '../log.ts';

export interface StartContext {
  /** Aborts when the app begins to stop, and when a start failed or overran its deadline: take no new work. */
  readonly signal: AbortSignal;
  /** Carries the component's name. */
  readonly log: Logger;
}

export interface Component {
  readonly name: string;
  start?(context: StartContext): Promise<void> | void;
  /** Finish what is in flight; everything else still works. Called for all components before any `stop`. */
  drain?(): Promise<void> | void;
  /** Give everything back. */
  stop?(): Promise<void> | void;
  /** For each phase; default 5000. */
  readonly deadlineMs?: number;
  /** For the start alone, where it waits for others; default `deadlineMs`. */
  readonly startDeadlineMs?: number;
}

export const appStates = ['init', 'starting', 'ready', 'draining', 'stopped', 'failed'] as const;

/** `failed`: a component did not start, or did not drain or stop in order. */
export type AppState = (typeof appStates)[number];

/** What went wrong in which phase of which component. */
export interface PhaseFailure {
  readonly component: string;
  /** `run`: it cannot go on, and said so after the start. */
  readonly phase: 'start' | 'run' | 'drain' | 'stop';
  readonly error: unknown;
}
