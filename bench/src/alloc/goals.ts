/** What the memory core must reach, and how a measurement becomes a figure of the table. */
import { atLeast, atMost, type Figure, plain, ratioAtMost } from '../figure.ts';
import type { Measurement } from './harness.ts';

interface Goal {
  readonly what: RegExp;
  readonly who: readonly string[];
  readonly atMost?: number;
  readonly atLeast?: number;
  /** Peers of the same measurement, and the largest ratio to each. */
  readonly against?: Readonly<Record<string, number>>;
  /** Why the goal is out of reach for some of them by what they are. */
  readonly whenMissed?: Readonly<Record<string, string>>;
  /** Only with all blocks and all repetitions. */
  readonly notWhenQuick?: true;
}

const searching = ['BUDDY', 'FIRST_FIT', 'BEST_FIT'];
const fitting = ['FIRST_FIT', 'BEST_FIT'];
const all = ['SLAB', ...searching, 'STACK'];

const named =
  'a block has a name that goes stale and a slot of 32 bytes that survives a kill, which a malloc does not keep';
const counted = 'each pair also writes a slot and four figures that stay readable when the owner is killed';
const memoryBound =
  'a random block of a million costs two or three loads from memory that wait for each other; peers miss it too';
const withoutPattern =
  'a pair takes 57 to 71 ns with the places and sizes of this measurement, and 32 to 36 ns where they repeat; the cause was not isolated';
const slabSlots = 'a slab takes a slot of its own, and its free rooms keep theirs';
const exactSearch =
  'an exact answer costs a descent, and about three mispredicted branches a pair depend on the data';
const lowestAddress = 'the lowest address that fits, and not the smallest range, breaks up the large ones';

const goals: readonly Goal[] = [
  {
    what: /^pair, 64 B, /,
    who: ['SLAB'],
    atMost: 15,
    against: { mimalloc: 1 },
    whenMissed: { SLAB: named },
  },
  {
    what: /^pair, (newest block|100 up)/,
    who: ['STACK'],
    atMost: 5,
    whenMissed: { STACK: counted },
  },
  {
    what: /^pair, .* to .*, 10,000 live$/,
    who: searching,
    atMost: 60,
    whenMissed: { BUDDY: withoutPattern, FIRST_FIT: exactSearch, BEST_FIT: exactSearch },
  },
  {
    what: /^replay, an event, /,
    who: ['SLAB'],
    against: { mimalloc: 1.2, 'Boost.Interprocess': 0.25, 'Boost.Interprocess without its lock': 0.25 },
    whenMissed: { SLAB: named },
  },
  { what: /^high water /, who: ['SLAB'], atMost: 1.1 },
  { what: /^fragmentation \(P4\) /, who: ['SLAB'], atMost: 10 },
  {
    what: /^p99\.9 of .* 1,000,000 live$/,
    who: all,
    atMost: 500,
    notWhenQuick: true,
    whenMissed: Object.fromEntries(all.map((who) => [who, memoryBound])),
  },
  {
    what: /^utilisation at first failure, growing, .* mean$/,
    who: fitting,
    atLeast: 98,
    whenMissed: { FIRST_FIT: lowestAddress },
  },
  { what: /^utilisation at first failure, growing, .* worst$/, who: fitting, atLeast: 90 },
  { what: /^stats snapshot/, who: ['figures()'], atMost: 1000 },
  { what: /^create a segment of 1 GiB$/, who: all, atMost: 1 },
  { what: /^attach in a new process/, who: ['SLAB'], atMost: 2 },
  { what: /^recovery, 1,000,000 live$/, who: all, atMost: 50, notWhenQuick: true },
  { what: /^ledger for a block/, who: all, atMost: 32, whenMissed: { SLAB: slabSlots } },
  { what: /^compaction, of the bandwidth of memcpy/, who: fitting, atLeast: 70 },
  { what: /^compaction, a pass, p99\.9$/, who: fitting, atMost: 1_000_000 },
  { what: /^refusals with moving where too few bytes were free$/, who: fitting, atLeast: 100 },
];

/** In the order of the measurements; ratios to peers stand behind the value that they are about. */
export function figuresOf(measurements: readonly Measurement[], quick: boolean): Figure[] {
  const used = new Set<Goal>();
  const figures = measurements.flatMap((measurement) => {
    const goal = goals.find(({ what, who }) => what.test(measurement.what) && who.includes(measurement.who));
    if (goal === undefined) return [figureOf(measurement, {})];
    used.add(goal);
    return [figureOf(measurement, goal), ...ratios(measurement, goal, measurements)];
  });
  const lost = goals.find((goal) => !used.has(goal) && !(quick && goal.notWhenQuick === true));
  if (lost !== undefined) throw new Error(`nothing was measured for the goal of ${lost.what.source}`);
  return figures;
}

function figureOf(measurement: Measurement, goal: Partial<Goal>): Figure {
  return explained(boundedFigure(measurement, goal), goal.whenMissed?.[measurement.who]);
}

function explained(figure: Figure, why: string | undefined): Figure {
  return figure.ok === false && why !== undefined ? { ...figure, why } : figure;
}

function boundedFigure({ what, who, value, unit }: Measurement, goal: Partial<Goal>): Figure {
  const name = `${who}: ${what}`;
  if (goal.atMost !== undefined) return atMost(name, value, unit, goal.atMost);
  if (goal.atLeast !== undefined) return atLeast(name, value, unit, goal.atLeast);
  return plain(name, value, unit);
}

/** None for a peer that was skipped. */
function ratios(
  { what, who, value, unit }: Measurement,
  { against, whenMissed }: Goal,
  all: readonly Measurement[],
): Figure[] {
  return Object.entries(against ?? {}).flatMap(([peer, most]) => {
    const baseline = all.find((other) => other.what === what && other.who === peer);
    return baseline === undefined
      ? []
      : [
          explained(
            ratioAtMost(`${who} against ${peer}: ${what}`, value, baseline.value, unit, most),
            whenMissed?.[who],
          ),
        ];
  });
}
