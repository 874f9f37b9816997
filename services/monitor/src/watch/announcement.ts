/** A transition on a ladder as the alert that the world is told. */
import type { AlertBody } from '@nautilus/contracts';
import type { Transition } from '../ladder/ladder.ts';
import type { WatchSettings } from '../settings.ts';
import type { ScopeReading, Signal } from '../signals/signal.ts';

export interface Announcement {
  readonly body: AlertBody;
  /** The same for the same transition in every instance of the monitor, so that the stream stores it once. */
  readonly messageId: string;
}

export function announce(
  host: string,
  signal: Signal,
  reading: ScopeReading,
  transition: Transition,
  settings: WatchSettings,
  at: number,
): Announcement {
  const { scope } = reading;
  const alert = [host, signal.name, scope.kind, scope.name, transition.incident].join(':');
  return {
    messageId: `${alert}:${transition.number}`,
    body: {
      alert,
      host,
      signal: signal.name,
      scope,
      state: transition.state,
      tier: transition.tier,
      previousTier: transition.previousTier,
      value: transition.value,
      threshold: transition.threshold,
      at,
      text: signal.describe(reading, transition, settings),
      runbook: `${settings.runbookUrl}#${signal.name}`,
    },
  };
}
