/** All that is remembered of one host, and the two things that change it: a sample, and time without one. */
import type { AgentSample, AlertBody } from '@nautilus/contracts';
import type { WatchSettings } from '../settings.ts';
import { sampleSignals, silenceSignals } from '../signals/signals.ts';
import type { Announcement } from './announcement.ts';
import { type Ladders, stepSignal } from './ladders.ts';
import { addTotals, noTotals, type Totals } from './totals.ts';

export interface HostWatch {
  readonly host: string;
  /** The newest. */
  readonly sample: AgentSample;
  /** When it came, on the monitor's monotonic clock. */
  readonly heardAtMs: number;
  readonly received: number;
  /** Numbers that the agent gave out and that never came. */
  readonly missed: number;
  readonly totals: Totals;
  readonly ladders: Ladders;
  /** Transitions so far, by `<tier> <state>`. */
  readonly transitions: Readonly<Record<string, number>>;
}

export interface Watched {
  readonly watch: HostWatch;
  readonly announcements: readonly Announcement[];
}

/** The monitor's own clocks when it looks. */
export interface Look {
  readonly monotonicMs: number;
  /** Unix milliseconds. */
  readonly at: number;
  /** Since when everything that was sent would have been heard, monotonic; null while NATS is away. */
  readonly listeningSinceMs: number | null;
}

export function transitionKey({ tier, state }: Pick<AlertBody, 'tier' | 'state'>): string {
  return `${tier} ${state}`;
}

function counted(watch: HostWatch, announcements: readonly Announcement[]): Watched {
  if (announcements.length === 0) return { watch, announcements };
  const transitions: Record<string, number> = { ...watch.transitions };
  for (const { body } of announcements) {
    const key = transitionKey(body);
    transitions[key] = (transitions[key] ?? 0) + 1;
  }
  return { watch: { ...watch, transitions }, announcements };
}

/** The sequence starts anew with every instance of an agent; what came before the first one seen is not missed. */
function missedBetween(before: AgentSample | undefined, now: AgentSample): number {
  return before?.instance === now.instance ? now.sequence - before.sequence - 1 : 0;
}

/** A sample that is not newer than the one before it changes nothing. */
export function takeSample(
  before: HostWatch | undefined,
  sample: AgentSample,
  heardAtMs: number,
  settings: WatchSettings,
): Watched | null {
  const missed = missedBetween(before?.sample, sample);
  if (missed < 0) return null;
  const announcements: Announcement[] = [];
  let ladders: Ladders = before?.ladders ?? new Map();
  for (const signal of sampleSignals) {
    const stepped = stepSignal(
      ladders,
      sample.host,
      signal,
      signal.read(sample),
      { at: sample.at },
      settings,
    );
    ladders = stepped.ladders;
    announcements.push(...stepped.announcements);
  }
  const watch: HostWatch = {
    host: sample.host,
    sample,
    heardAtMs,
    received: (before?.received ?? 0) + 1,
    missed: (before?.missed ?? 0) + missed,
    totals: addTotals(before?.totals ?? noTotals, before?.sample ?? null, sample),
    ladders,
    transitions: before?.transitions ?? {},
  };
  return counted(watch, announcements);
}

export function isSilent(watch: HostWatch, monotonicMs: number, settings: WatchSettings): boolean {
  return monotonicMs - watch.heardAtMs > settings.silenceMs;
}

export function passTime(before: HostWatch, look: Look, settings: WatchSettings): Watched {
  const announcements: Announcement[] = [];
  let ladders = before.ladders;
  // What was sent while nobody listened is not silence of the host.
  const silentMs =
    look.listeningSinceMs === null
      ? Number.NaN
      : look.monotonicMs - Math.max(before.heardAtMs, look.listeningSinceMs);
  const silence = { host: before.host, silentMs, allowedMs: settings.silenceMs };
  // Named after the last sample, which every instance of the monitor has seen.
  const when = { at: look.at, ladderAt: look.monotonicMs, opens: String(before.sample.at) };
  for (const signal of silenceSignals) {
    const stepped = stepSignal(ladders, before.host, signal, signal.read(silence), when, settings);
    ladders = stepped.ladders;
    announcements.push(...stepped.announcements);
  }
  return counted({ ...before, ladders }, announcements);
}

/** The newest announcement of every alert that is raised now. */
export function raisedAlerts(watch: HostWatch): readonly Announcement[] {
  return [...watch.ladders.values()].flatMap((ladder) => (ladder.raised === null ? [] : [ladder.raised]));
}
