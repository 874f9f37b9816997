/** Deals bytes to claims by rank; equals that do not all fit share in proportion to what they ask. */
import { granuleBytes, roundDown } from './granule.ts';

export interface Claim {
  readonly name: string;
  readonly rank: number;
  /** A whole number of granules. */
  readonly bytes: number;
}

export interface Served {
  /** What each claim got, by name; never more than it asked. */
  readonly given: ReadonlyMap<string, number>;
  readonly left: number;
}

const byRankThenName = (a: Claim, b: Claim) =>
  a.rank - b.rank || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

export function serve(availableBytes: number, claims: readonly Claim[]): Served {
  const given = new Map<string, number>();
  let left = roundDown(Math.max(0, availableBytes));
  const sorted = [...claims].sort(byRankThenName);
  for (let start = 0; start < sorted.length; ) {
    const rank = sorted[start]?.rank;
    const equals = sorted.slice(start).filter((claim) => claim.rank === rank);
    const total = equals.reduce((sum, claim) => sum + claim.bytes, 0);
    left -= deal(Math.min(left, total), equals, given);
    start += equals.length;
  }
  return { given, left };
}

/**
 * Each takes its proportion of what the ones before it left, so that rounding never deals more than there is and the
 * last one takes the remainder. Returns what was dealt.
 */
function deal(bytes: number, equals: readonly Claim[], given: Map<string, number>): number {
  let pot = bytes / granuleBytes;
  let asked = equals.reduce((sum, claim) => sum + claim.bytes / granuleBytes, 0);
  for (const claim of equals) {
    const need = claim.bytes / granuleBytes;
    const share = asked === 0 ? 0 : proportion(pot, need, asked);
    given.set(claim.name, share * granuleBytes);
    pot -= share;
    asked -= need;
  }
  return bytes - pot * granuleBytes;
}

/** pot × need ÷ asked, rounded down; whole numbers, because the product of two large ones does not fit a float. */
function proportion(pot: number, need: number, asked: number): number {
  return Number((BigInt(pot) * BigInt(need)) / BigInt(asked));
}
