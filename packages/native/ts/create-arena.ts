// Three ways to an arena: a new one in an empty ledger, the one that a dead owner left in its ledger, and the one
// that another thread of this process has.

import { native } from './addon.ts';
import { Arena } from './arena.ts';
import type { SharedArena } from './arena-types.ts';
import { checkAlignment, checkBytes } from './check.ts';
import { invalidArgument } from './errors.ts';
import { ledgerBytesFor } from './ledger.ts';
import type { Mapping } from './mapping.ts';
import type { NativeArena } from './native.ts';
import { createSegment, mapSegment } from './segment.ts';
import { type StrategyName, strategies } from './strategies.ts';

export interface ArenaOptions {
  strategy: StrategyName;
  /** Bytes of the segment; what is less than one minimumAlignment at its end stays unused. */
  bytes: number;
  /** Power of two up to 65536, default 64 (a cache line); also the unit in which blocks are cut. */
  minimumAlignment?: number;
  /** Read-write mapping of `ledgerBytesFor(bytes, minimumAlignment)`; default: a private one. */
  ledger?: Mapping;
  /**
   * Keep rooms of common sizes at hand, so that blocks begin and end without a native call. Sizes above 16 times
   * the minimum alignment are then rounded up by a sixteenth at most (buddy rounds as it always does), and the
   * strategy decides for batches.
   */
  magazines?: boolean;
}

function checked(options: ArenaOptions): Required<Omit<ArenaOptions, 'ledger'>> {
  const { strategy, bytes, minimumAlignment = 64, ledger, magazines = false } = options;
  if (!Object.hasOwn(strategies, strategy)) {
    throw invalidArgument('strategy', `one of ${Object.keys(strategies).join(', ')}`, strategy);
  }
  checkAlignment('minimumAlignment', minimumAlignment);
  checkBytes('bytes', bytes);
  if (ledger !== undefined && ledger.access !== 'read-write') {
    throw invalidArgument('ledger', 'a read-write mapping', ledger.access);
  }
  return { strategy, bytes, minimumAlignment, magazines };
}

function make(options: ArenaOptions, recover: boolean): Arena {
  const shape = checked(options);
  const { strategy, bytes, minimumAlignment } = shape;
  const ledger = options.ledger ?? privateLedger(bytes, minimumAlignment);
  try {
    const made = native.arenaCreate(strategy, bytes, minimumAlignment, ledger.handle, recover, null);
    return arenaOf(made, ledger, options.ledger === undefined, shape);
  } catch (error) {
    if (options.ledger === undefined) ledger.close();
    throw error;
  }
}

export function privateLedger(bytes: number, minimumAlignment: number): Mapping {
  using segment = createSegment({ name: 'nautilus-arena', bytes: ledgerBytesFor(bytes, minimumAlignment) });
  return mapSegment(segment, { access: 'read-write' });
}

/** A ledger that cannot be looked into leaves no arena behind. */
function arenaOf(
  made: NativeArena,
  ledger: Mapping,
  ownsLedger: boolean,
  shape: Omit<SharedArena, 'arena'>,
): Arena {
  try {
    const arena = new Arena(made, ledger, ownsLedger, shape);
    // A message may have come from an older arena.
    if (!arena.isShapedAs(shape)) throw invalidArgument('shared', 'what share() of this arena said', shape);
    return arena;
  } catch (error) {
    native.arenaClose(made);
    throw error;
  }
}

/** An empty arena. What was in the ledger is over: its handles are stale. */
export function createArena(options: ArenaOptions): Arena {
  return make(options, false);
}

/**
 * With every block that was published in the ledger when its owner died, under the same handles; `leftOutBlocks` says
 * how many of them could not be, and were ended.
 */
export function recoverArena(options: ArenaOptions & { ledger: Mapping }): Arena {
  return make(options, true);
}

/** The arena of another thread; `ledger` is this thread's own read-write mapping of the same ledger. */
export function attachArena(shared: SharedArena, ledger: Mapping): Arena {
  const attached = native.arenaAttach(shared.arena, ledger.handle, null);
  return arenaOf(attached, ledger, false, shared);
}
