/** A signal is a rule that the ladders walk: what to read, which ladder to read it on, and what to tell a person. */
import type { AgentSample, AlertBody } from '@nautilus/contracts';
import type { LadderSettings, Transition } from '../ladder/ladder.ts';
import type { WatchSettings } from '../settings.ts';

export type Scope = AlertBody['scope'];

/** One figure of one scope. `used` and `limit` are in the unit of the signal, for the text. */
export interface ScopeReading {
  readonly scope: Scope;
  /** 0 to 1; NaN when it was not measured. */
  readonly value: number;
  readonly used: number;
  readonly limit: number;
  /** What the figures cannot say. */
  readonly note?: string;
}

/** How long nothing was heard of a host. */
export interface Silence {
  readonly host: string;
  /** NaN while the monitor itself could not have heard anything. */
  readonly silentMs: number;
  readonly allowedMs: number;
}

interface CommonSignal {
  /** Last token of the alert's subject and anchor of its runbook. */
  readonly name: string;
  readonly summary: string;
  ladder(settings: WatchSettings): LadderSettings;
  /** Value, threshold, figures, and what to do. */
  describe(reading: ScopeReading, transition: Transition, settings: WatchSettings): string;
}

/** Read with every new sample. */
export interface SampleSignal extends CommonSignal {
  readonly on: 'sample';
  read(sample: AgentSample): readonly ScopeReading[];
}

/** Read as time passes. */
export interface SilenceSignal extends CommonSignal {
  readonly on: 'silence';
  read(silence: Silence): readonly ScopeReading[];
}

export type Signal = SampleSignal | SilenceSignal;
