/** The ladders of one host: one for each signal and scope, each with the alert it is telling. */
import { calmLadder, type LadderState, type Reading } from '../ladder/ladder.ts';
import { stepLadder } from '../ladder/step.ts';
import type { WatchSettings } from '../settings.ts';
import type { Scope, ScopeReading, Signal } from '../signals/signal.ts';
import { type Announcement, announce } from './announcement.ts';

export interface ScopeLadder {
  readonly signal: string;
  readonly scope: Scope;
  readonly state: LadderState;
  /** The newest announcement while a tier is raised. */
  readonly raised: Announcement | null;
}

export type Ladders = ReadonlyMap<string, ScopeLadder>;

export interface ReadingTime {
  /** Unix milliseconds, for the alert. */
  readonly at: number;
  /** The ladder's own time axis; `at` when not given. */
  readonly ladderAt?: number;
  readonly opens?: string;
}

const keyOf = (signal: Signal, scope: Scope) => `${signal.name} ${scope.kind} ${scope.name}`;

/** A scope that is no longer told of holds nothing: it clears like one that was emptied. */
function gone(ladders: Ladders, signal: Signal, readings: readonly ScopeReading[]): ScopeReading[] {
  const told = new Set(readings.map(({ scope }) => keyOf(signal, scope)));
  return [...ladders]
    .filter(([key, ladder]) => ladder.signal === signal.name && !told.has(key))
    .map(([, { scope }]) => ({ scope, value: 0, used: 0, limit: 0 }));
}

/** Steps every ladder of a signal. A calm ladder is kept only while its scope is told of. */
export function stepSignal(
  ladders: Ladders,
  host: string,
  signal: Signal,
  readings: readonly ScopeReading[],
  when: ReadingTime,
  settings: WatchSettings,
): { readonly ladders: Ladders; readonly announcements: readonly Announcement[] } {
  const next = new Map(ladders);
  const announcements: Announcement[] = [];
  const ladderSettings = signal.ladder(settings);
  // What is gone does not come back to hover around a step.
  const { flap: _, ...unflapped } = ladderSettings;
  const goneSettings = { ...unflapped, clearHoldMs: settings.stateClearHoldMs };
  const lost = gone(ladders, signal, readings);
  for (const reading of [...readings, ...lost]) {
    const { scope, value } = reading;
    const key = keyOf(signal, scope);
    const before = ladders.get(key);
    const input: Reading = {
      value,
      at: when.ladderAt ?? when.at,
      ...(when.opens === undefined ? {} : { opens: when.opens }),
    };
    const { state, transitions } = stepLadder(
      before?.state ?? calmLadder,
      input,
      lost.includes(reading) ? goneSettings : ladderSettings,
    );
    const told = transitions.map((each) => announce(host, signal, reading, each, settings, when.at));
    announcements.push(...told);
    const raised = state.tier === null ? null : (told.at(-1) ?? before?.raised ?? null);
    if (state.tier === null && lost.includes(reading)) next.delete(key);
    else next.set(key, { signal: signal.name, scope, state, raised });
  }
  return { ladders: next, announcements };
}
