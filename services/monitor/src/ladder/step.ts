/**
 * One reading on a ladder: raises after a hold, EMERGENCY at once, and clears only after a hold below the gap.
 * Only time between two readings that both saw the condition counts, so that a hole in the samples proves nothing.
 */
import { type Tier, tiers } from '@nautilus/contracts';
import { clearHoldOf, left, passed, returned } from './flap.ts';
import type { HoldTimers, Incident, LadderSettings, LadderState, Reading, Transition } from './ladder.ts';

const defaultLongestGapMs = 5_000;

export function rank(tier: Tier | null): number {
  return tier === null ? -1 : tiers.indexOf(tier);
}

function creditedMs(seenAt: number | null, at: number, longestGapMs: number): number {
  if (seenAt === null) return 0;
  const elapsed = at - seenAt;
  // A clock that went backwards, or a hole: the time is unknown, not long.
  return elapsed > 0 && elapsed <= longestGapMs ? elapsed : 0;
}

function advance(
  timers: HoldTimers,
  steps: readonly (readonly [Tier, number])[],
  credit: number,
  holds: (step: number) => boolean,
): HoldTimers {
  const next: Partial<Record<Tier, number>> = {};
  for (const [tier, step] of steps) {
    if (!holds(step)) continue;
    const before = timers[tier];
    next[tier] = before === undefined ? 0 : before + credit;
  }
  return next;
}

function highestDue(
  steps: readonly (readonly [Tier, number])[],
  above: HoldTimers,
  holdMs: number,
): Tier | null {
  return (
    steps.findLast(([tier]) => {
      const held = above[tier];
      return held !== undefined && (tier === 'emergency' || held >= holdMs);
    })?.[0] ?? null
  );
}

export function stepLadder(
  state: LadderState,
  reading: Reading,
  settings: LadderSettings,
): { readonly state: LadderState; readonly transitions: readonly Transition[] } {
  const { value, at } = reading;
  if (!Number.isFinite(value)) return { state: { ...state, seenAt: null }, transitions: [] };

  const steps = tiers.flatMap((tier) => {
    const step = settings.steps[tier];
    return step === undefined ? [] : [[tier, step] as const];
  });
  const credit = creditedMs(state.seenAt, at, settings.longestGapMs ?? defaultLongestGapMs);
  const above = advance(state.above, steps, credit, (step) => value >= step);
  const below = advance(state.below, steps, credit, (step) => value < step - settings.gap);

  let tier = state.tier;
  let flapping = passed(state, credit, settings.flap);
  let incident: Incident | null = state.incident;
  const transitions: Transition[] = [];
  const move = (to: Pick<Transition, 'state' | 'tier' | 'previousTier' | 'threshold'>): void => {
    const key = incident?.key ?? reading.opens ?? String(at);
    incident = { key, transitions: (incident?.transitions ?? 0) + 1 };
    transitions.push({ ...to, value, at, incident: key, number: incident.transitions });
  };

  const due = highestDue(steps, above, settings.raiseHoldMs);
  if (due !== null && rank(due) > rank(tier)) {
    flapping = returned(flapping, settings.flap);
    move({ state: 'raised', tier: due, previousTier: tier, threshold: settings.steps[due] ?? Number.NaN });
    tier = due;
  }
  const clearHoldMs = clearHoldOf(settings, flapping);
  while (tier !== null) {
    const ended: Tier = tier;
    const held = below[ended];
    if (held === undefined || held < clearHoldMs) break;
    const next = steps.findLast(([lower]) => rank(lower) < rank(ended))?.[0] ?? null;
    const threshold = (settings.steps[ended] ?? Number.NaN) - settings.gap;
    flapping = left(flapping);
    move({
      state: next === null ? 'cleared' : 'lowered',
      tier: next ?? ended,
      previousTier: ended,
      threshold,
    });
    tier = next;
  }
  return {
    state: { tier, incident: tier === null ? null : incident, above, below, seenAt: at, ...flapping },
    transitions,
  };
}
