/** Of all alerts that are raised now: which one a person should read first, and which are said by it already. */
import type { AlertBody, Tier } from '@nautilus/contracts';
import { rank } from './step.ts';

export type Scope = AlertBody['scope'];

export interface RaisedAlert {
  readonly alert: string;
  readonly host: string;
  readonly signal: string;
  readonly scope: Scope;
  readonly tier: Tier;
  /** When the incident of its ladder began, Unix ms. */
  readonly raisedAt: number;
}

export interface Judged {
  readonly alert: RaisedAlert;
  /** The alert that says it already; null for a root. */
  readonly inhibitedBy: string | null;
  readonly reason: string | null;
}

/** The region that a pool lies in, when it is known. */
export type RegionOf = (host: string, pool: string) => string | undefined;

/** Signals that are faces of one trouble. */
const memorySignals: ReadonlySet<string> = new Set(['memory-pressure', 'memory-stall', 'memory-leak']);
const silence = 'host-silent';

/** Raised so close together, alerts of one signal on one host are one event. */
export const stormMs = 60_000;

const width: Record<Scope['kind'], number> = { host: 0, region: 1, pool: 2, container: 3 };

function isFamily(one: RaisedAlert, other: RaisedAlert): boolean {
  return one.signal === other.signal || (memorySignals.has(one.signal) && memorySignals.has(other.signal));
}

function contains(wide: RaisedAlert, narrow: RaisedAlert, regionOf: RegionOf): boolean {
  if (wide.scope.kind === 'host') return narrow.scope.kind !== 'host';
  return (
    wide.scope.kind === 'region' &&
    narrow.scope.kind === 'pool' &&
    regionOf(narrow.host, narrow.scope.name) === wide.scope.name
  );
}

/** Why `other` speaks for `one`; null when it does not. */
function reasonFor(one: RaisedAlert, other: RaisedAlert, regionOf: RegionOf): string | null {
  if (one.host !== other.host || one.alert === other.alert) return null;
  if (other.signal === silence) {
    return one.signal === silence ? null : 'its host is silent, so its figures stand still';
  }
  if (!isFamily(one, other) || rank(other.tier) < rank(one.tier)) return null;
  if (contains(other, one, regionOf)) return `its ${other.scope.kind} is in ${other.tier.toUpperCase()}`;
  // Two faces of one scope: what stalls is harm done, what is full is a cause of it.
  const isSameScope = one.scope.kind === other.scope.kind && one.scope.name === other.scope.name;
  if (isSameScope && one.signal !== other.signal && before(other, one)) {
    return `${other.signal} of the same ${one.scope.kind} says it`;
  }
  const isStorm = one.signal === other.signal && Math.abs(one.raisedAt - other.raisedAt) <= stormMs;
  return isStorm && before(other, one) ? 'raised together with it' : null;
}

/** Total order: the highest tier, the widest scope, harm before cause, the oldest, then by name. */
function before(one: RaisedAlert, other: RaisedAlert): boolean {
  const difference =
    rank(other.tier) - rank(one.tier) ||
    width[one.scope.kind] - width[other.scope.kind] ||
    Number(other.signal === 'memory-stall') - Number(one.signal === 'memory-stall') ||
    one.raisedAt - other.raisedAt;
  return difference !== 0 ? difference < 0 : one.alert < other.alert;
}

/**
 * Roots first. Only a root inhibits, so no chain of alerts is silenced by one that is itself silent. EMERGENCY is never
 * inhibited by anything below it; containers are not inhibited by pools, which they share with others.
 */
export function inhibit(raised: readonly RaisedAlert[], regionOf: RegionOf = () => undefined): Judged[] {
  const silent = raised.filter(({ signal }) => signal === silence);
  const others = raised.filter(({ signal }) => signal !== silence);
  const ordered = [...silent, ...others.sort((one, other) => (before(one, other) ? -1 : 1))];
  const judged: Judged[] = [];
  const roots: RaisedAlert[] = [];
  for (const alert of ordered) {
    let found: Judged | null = null;
    for (const root of roots) {
      const reason = reasonFor(alert, root, regionOf);
      if (reason === null) continue;
      found = { alert, inhibitedBy: root.alert, reason };
      break;
    }
    if (found === null) roots.push(alert);
    judged.push(found ?? { alert, inhibitedBy: null, reason: null });
  }
  return judged;
}
