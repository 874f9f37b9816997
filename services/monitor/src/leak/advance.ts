/**
 * One reading of a container, and what is concluded after it. Between two collections memory only grows, so the lowest
 * reading of each bucket of time is kept and all the others are forgotten.
 */
import {
  type Floor,
  type LeakJudgement,
  type LeakObservation,
  type LeakState,
  noLeak,
  type OpenBucket,
} from './leak.ts';
import { type LeakRule, leakRule } from './rule.ts';
import { weighFloors } from './weigh.ts';

/** A floor below this share of every floor before it is a new process, whether or not anybody said so. */
const freshShare = 0.5;
/** Of a verdict on readings that are older: it may have been restarted since. */
const staleMs = 1_800_000;

/**
 * Pure. A gap is time without floors; a clock that goes back continues where it was. Further away than the longest window, in
 * either direction, nothing that is known can be used, and it begins anew.
 */
export function advanceLeak(state: LeakState, seen: LeakObservation, rule: LeakRule = leakRule): LeakState {
  const { at, valueBytes, limitBytes } = seen;
  if (!Number.isFinite(at) || !Number.isFinite(valueBytes) || valueBytes < 0) return state;
  const startedAt = Number.isFinite(seen.startedAt) ? (seen.startedAt ?? null) : state.startedAt;
  const isRestarted = state.startedAt !== null && startedAt !== state.startedAt;
  const isFarAway = state.seenAt !== null && Math.abs(at - state.seenAt) > Math.max(...rule.windowsMs);
  const before = isRestarted || isFarAway ? noLeak : state;
  const wentBackMs = before.seenAt === null ? 0 : Math.max(0, before.seenAt - at);
  const offsetMs = before.offsetMs + wentBackMs;
  const isLimit = limitBytes !== null && Number.isFinite(limitBytes) && limitBytes > 0;
  const next = { ...before, startedAt, limitBytes: isLimit ? limitBytes : null, seenAt: at, offsetMs };
  const clock = at + offsetMs;
  const serial = Math.floor(clock / rule.bucketMs);
  const { open } = before;
  if (open?.serial === serial) return { ...next, open: joined(open, clock, seen) };
  const opened = joined(
    { serial, fromAt: clock, toAt: clock, lowestBytes: valueBytes, readings: 0, loadSum: 0, loads: 0 },
    clock,
    seen,
  );
  return open === null ? { ...next, open: opened } : { ...closed(next, open, rule), open: opened };
}

function joined(open: OpenBucket, clock: number, { valueBytes, loadPerSecond }: LeakObservation): OpenBucket {
  const hasLoad = loadPerSecond !== undefined && Number.isFinite(loadPerSecond) && loadPerSecond >= 0;
  return {
    ...open,
    toAt: clock,
    lowestBytes: Math.min(open.lowestBytes, valueBytes),
    readings: open.readings + 1,
    loadSum: open.loadSum + (hasLoad ? loadPerSecond : 0),
    loads: open.loads + (hasLoad ? 1 : 0),
  };
}

function closed(state: LeakState, open: OpenBucket, rule: LeakRule): LeakState {
  const floor: Floor = {
    at: (open.fromAt + open.toAt) / 2,
    bytes: open.lowestBytes,
    loadPerSecond: open.loads === open.readings ? open.loadSum / open.loads : null,
  };
  const isFresh =
    state.floors.length > 0 && state.floors.every(({ bytes }) => floor.bytes < freshShare * bytes);
  const oldest = floor.at - Math.max(...rule.windowsMs);
  const floors = [...(isFresh ? [] : state.floors.filter(({ at }) => at >= oldest)), floor];
  const weighed = weighFloors(floors, state.limitBytes, rule);
  const suspectedAt = weighed.verdict === 'none' ? null : ((isFresh ? null : state.suspectedAt) ?? floor.at);
  const isDue = suspectedAt !== null && floor.at - suspectedAt >= rule.suspectedForMs;
  const judgement: LeakJudgement =
    weighed.verdict === 'confirmed' && !isDue
      ? { ...weighed, verdict: 'suspected', reason: `${weighed.reason}; suspected only now` }
      : weighed;
  return { ...state, floors, suspectedAt, judgement };
}

/** The verdict of the newest whole bucket. `now` is Unix ms; on old readings nothing is called confirmed. */
export function judgeLeak(state: LeakState, now: number): LeakJudgement {
  const { judgement, seenAt } = state;
  if (judgement === null || seenAt === null) return weighFloors([], null, leakRule);
  const isStale = !(now - seenAt <= staleMs);
  if (!isStale || judgement.verdict !== 'confirmed') return judgement;
  const reason = `${judgement.reason}; not confirmed, as nothing was seen of it for ${Math.round((now - seenAt) / 60_000)} min`;
  return { ...judgement, verdict: 'suspected', reason };
}
