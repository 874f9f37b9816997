/**
 * What is normal for a figure at this hour of this weekday: mean and spread, learnt hour by hour, older weeks fading. It
 * says nothing until it has seen the hour often enough, and it says on what it rests.
 */

/** Of one hour of the week; in the unit of the figure, `variance` in its square. */
export interface HourNormal {
  /** Hours of this kind that were seen; counts up to `mostVisits`. */
  readonly visits: number;
  readonly mean: number;
  readonly variance: number;
}

/** The hour that is being seen: running moments, weighted by seen time. */
export interface OpenHour {
  readonly hour: number;
  /** Whole hours since the epoch, local; tells this Monday from the next one. */
  readonly serial: number;
  readonly seenMs: number;
  readonly mean: number;
  /** Sum of weighted squared distances from the mean (West 1979). */
  readonly squares: number;
}

/** Plain JSON, at most 168 hours: it is the checkpoint. */
export interface BaselineState {
  /** By hour of the week, Monday 00:00 first; null where nothing was seen. */
  readonly hours: readonly (HourNormal | null)[];
  readonly open: OpenHour | null;
  readonly seenAt: number | null;
}

export interface BaselineObservation {
  /** Unix ms. */
  readonly at: number;
  /** Of the zone in which people work, at that instant; it changes with summer time. */
  readonly utcOffsetMs: number;
  /** NaN when it was not measured. */
  readonly value: number;
}

const hourMs = 3_600_000;
const hoursOfWeek = 168;
/** The epoch began on a Thursday; a week here begins on Monday. */
const epochHour = 72;
/** Readings further apart say nothing of the time between them. */
const longestGapMs = 120_000;
/** An hour of which less was seen is not a visit. */
const leastSeenMs = hourMs / 2;
/** From then on every visit weighs a sixth: a habit of two months ago is gone. */
const mostVisits = 6;

export const noBaseline: BaselineState = {
  hours: Array.from({ length: hoursOfWeek }, () => null),
  open: null,
  seenAt: null,
};

function serialOf({ at, utcOffsetMs }: Pick<BaselineObservation, 'at' | 'utcOffsetMs'>): number {
  return Math.floor((at + utcOffsetMs) / hourMs);
}

function hourOf(serial: number): number {
  return (((serial + epochHour) % hoursOfWeek) + hoursOfWeek) % hoursOfWeek;
}

/** A gap, a suspend or a clock that jumped is time that was not seen; the hour that it cuts keeps what was seen of it. */
export function advanceBaseline(state: BaselineState, seen: BaselineObservation): BaselineState {
  if (!Number.isFinite(seen.value)) return { ...state, seenAt: null };
  const serial = serialOf(seen);
  const isSame = state.open?.serial === serial;
  const hours = isSame || state.open === null ? state.hours : closed(state.hours, state.open);
  const elapsed = state.seenAt === null ? 0 : seen.at - state.seenAt;
  const creditMs = elapsed > 0 && elapsed <= longestGapMs ? elapsed : 0;
  const before: OpenHour =
    isSame && state.open !== null
      ? state.open
      : { hour: hourOf(serial), serial, seenMs: 0, mean: seen.value, squares: 0 };
  const seenMs = before.seenMs + creditMs;
  const distance = seen.value - before.mean;
  const mean = seenMs > 0 ? before.mean + (distance * creditMs) / seenMs : before.mean;
  const squares = before.squares + creditMs * distance * (seen.value - mean);
  return { hours, open: { ...before, seenMs, mean, squares }, seenAt: seen.at };
}

function closed(hours: BaselineState['hours'], open: OpenHour): BaselineState['hours'] {
  if (open.seenMs < leastSeenMs) return hours;
  const before = hours[open.hour] ?? { visits: 0, mean: open.mean, variance: 0 };
  const visits = Math.min(mostVisits, before.visits + 1);
  const weight = 1 / visits;
  const distance = open.mean - before.mean;
  const next: HourNormal = {
    visits,
    mean: before.mean + weight * distance,
    // Of a mixture: what the hours vary within, and between each other.
    variance:
      (1 - weight) * (before.variance + weight * distance ** 2) + (weight * open.squares) / open.seenMs,
  };
  return hours.map((hour, index) => (index === open.hour ? next : hour));
}

export type Basis = 'hour-of-week' | 'hour-of-day' | 'none';

export interface Normal {
  readonly basis: Basis;
  readonly mean: number;
  readonly spread: number;
  readonly visits: number;
}

const leastVisits = 2;
const leastDays = 3;

/** What is normal at an instant; this hour of this weekday if it was seen twice, else this hour of any three days. */
export function readBaseline(
  state: BaselineState,
  when: Pick<BaselineObservation, 'at' | 'utcOffsetMs'>,
): Normal {
  const hour = hourOf(serialOf(when));
  const own = state.hours[hour] ?? null;
  if (own !== null && own.visits >= leastVisits) return normalOf('hour-of-week', [own]);
  const days = Array.from({ length: 7 }, (_, day) => state.hours[day * 24 + (hour % 24)] ?? null);
  const known = days.filter((one) => one !== null);
  const visits = known.reduce((sum, one) => sum + one.visits, 0);
  if (visits >= leastDays) return normalOf('hour-of-day', known);
  return { basis: 'none', mean: Number.NaN, spread: Number.NaN, visits };
}

function normalOf(basis: Basis, known: readonly HourNormal[]): Normal {
  const visits = known.reduce((sum, one) => sum + one.visits, 0);
  const mean = known.reduce((sum, one) => sum + one.visits * one.mean, 0) / visits;
  const variance =
    known.reduce((sum, one) => sum + one.visits * (one.variance + (one.mean - mean) ** 2), 0) / visits;
  return { basis, mean, spread: Math.sqrt(Math.max(0, variance)), visits };
}
