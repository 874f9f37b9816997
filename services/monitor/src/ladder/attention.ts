/**
 * Who has been told, who has said "I know", and who asked for silence: decides which roots become a notification. Plain
 * JSON and bounded, so that it is the checkpoint.
 */
import type { Tier } from '@nautilus/contracts';
import { type Judged, type Scope, stormMs } from './inhibit.ts';
import { rank } from './step.ts';

export interface Acknowledgement {
  /** The tier that was known; a higher one is told again. */
  readonly tier: Tier;
  readonly by: string;
  readonly at: number;
}

export interface Silence {
  readonly id: string;
  /** What is left out matches everything. */
  readonly host?: string;
  readonly signal?: string;
  readonly scope?: Scope;
  readonly untilMs: number;
  readonly by: string;
  readonly reason: string;
  /** EMERGENCY is told in spite of a silence that does not say so. */
  readonly includesEmergency: boolean;
}

interface Known {
  readonly told: Tier | null;
  readonly acknowledged: Acknowledgement | null;
}

export interface AttentionState {
  /** By alert, while it is raised. */
  readonly known: Readonly<Record<string, Known>>;
  readonly silences: readonly Silence[];
}

export interface Attention {
  readonly state: AttentionState;
  /** Roots that nobody was told of at this tier. */
  readonly notify: readonly Judged[];
  /** Every raised alert that is not told, and why. */
  readonly quiet: readonly { readonly alert: string; readonly reason: string }[];
}

export const noAttention: AttentionState = { known: {}, silences: [] };
export const mostSilences = 256;
export const longestSilenceMs = 30 * 86_400_000;

function silencedBy(state: AttentionState, { alert }: Judged, now: number): Silence | undefined {
  return state.silences.find(
    (one) =>
      now < one.untilMs &&
      (alert.tier !== 'emergency' || one.includesEmergency) &&
      (one.host === undefined || one.host === alert.host) &&
      (one.signal === undefined || one.signal === alert.signal) &&
      (one.scope === undefined ||
        (one.scope.kind === alert.scope.kind && one.scope.name === alert.scope.name)),
  );
}

/**
 * Call it with everything that is raised, whenever that changes. An alert that a root spoke for counts as told at the
 * root's time, unless it outlives the root by being raised later than `stormMs` after it.
 */
export function advanceAttention(state: AttentionState, judged: readonly Judged[], now: number): Attention {
  const known: Record<string, Known> = {};
  const notify: Judged[] = [];
  const quiet: { alert: string; reason: string }[] = [];
  const raisedAt = new Map(judged.map(({ alert }) => [alert.alert, alert.raisedAt]));
  for (const one of judged) {
    const { alert, inhibitedBy, reason } = one;
    const before = state.known[alert.alert] ?? { told: null, acknowledged: null };
    if (inhibitedBy !== null) {
      const isSaid = Math.abs(alert.raisedAt - (raisedAt.get(inhibitedBy) ?? now)) <= stormMs;
      known[alert.alert] =
        isSaid && rank(before.told) < rank(alert.tier) ? { ...before, told: alert.tier } : before;
      quiet.push({ alert: alert.alert, reason: `${reason ?? 'said'} (${inhibitedBy})` });
      continue;
    }
    const silence = silencedBy(state, one, now);
    if (silence !== undefined) {
      quiet.push({ alert: alert.alert, reason: `silenced by ${silence.by}: ${silence.reason}` });
      known[alert.alert] = before;
    } else if (rank(before.acknowledged?.tier ?? null) >= rank(alert.tier)) {
      quiet.push({ alert: alert.alert, reason: `acknowledged by ${before.acknowledged?.by ?? 'somebody'}` });
      known[alert.alert] = before;
    } else if (rank(before.told) >= rank(alert.tier)) {
      quiet.push({ alert: alert.alert, reason: 'told already' });
      known[alert.alert] = before;
    } else {
      notify.push(one);
      known[alert.alert] = { ...before, told: alert.tier };
    }
  }
  return { state: { known, silences: state.silences.filter(({ untilMs }) => untilMs > now) }, notify, quiet };
}

/** Null when no such alert is raised. */
export function acknowledge(
  state: AttentionState,
  alert: string,
  said: Acknowledgement,
): AttentionState | null {
  const before = state.known[alert];
  if (before === undefined) return null;
  return { ...state, known: { ...state.known, [alert]: { ...before, acknowledged: said } } };
}

/** A silence ends by itself. A text instead of a state says why it was refused. */
export function silence(state: AttentionState, wanted: Silence, now: number): AttentionState | string {
  if (!(wanted.untilMs > now)) return `untilMs ${wanted.untilMs} is not in the future; now is ${now}`;
  if (wanted.untilMs - now > longestSilenceMs) return 'a silence lasts at most 30 days; ask again then';
  const kept = state.silences.filter(({ id, untilMs }) => id !== wanted.id && untilMs > now);
  if (kept.length >= mostSilences) return `there are ${mostSilences} silences already; end one first`;
  return { ...state, silences: [...kept, wanted] };
}

export function endSilence(state: AttentionState, id: string): AttentionState {
  return { ...state, silences: state.silences.filter((one) => one.id !== id) };
}
