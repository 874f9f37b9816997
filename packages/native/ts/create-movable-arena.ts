// Three ways to an arena whose blocks move: a new one in an empty ledger, the one that a dead owner left in its ledger,
// and the one that another thread of this process has.

import { native } from './addon.ts';
import { checkAlignment, checkBytes } from './check.ts';
import { privateLedger } from './create-arena.ts';
import { invalidArgument, NativeError } from './errors.ts';
import type { Mapping } from './mapping.ts';
import { MovableArena, type MovableStrategyName, type SharedMovableArena } from './movable-arena.ts';
import { strategies } from './strategies.ts';

export interface MovableArenaOptions {
  strategy: MovableStrategyName;
  /** Bytes of the segment; what is less than one minimumAlignment at its end stays unused. */
  bytes: number;
  /** Power of two up to 65536, default 64 (a cache line); also the unit in which blocks are cut. */
  minimumAlignment?: number;
  /** Read-write mapping of the segment, in which blocks are copied; the arena needs it as long as it is open. */
  payload: Mapping;
  /** Read-write mapping of `ledgerBytesFor(bytes, minimumAlignment)`; default: a private one. */
  ledger?: Mapping;
}

const movableStrategies: readonly string[] = ['first_fit', 'best_fit'] satisfies MovableStrategyName[];

function checkMapping(name: string, mapping: Mapping): void {
  if (mapping.access !== 'read-write') throw invalidArgument(name, 'a read-write mapping', mapping.access);
}

function make(options: MovableArenaOptions, recover: boolean): MovableArena {
  const { strategy, bytes, minimumAlignment = 64, payload } = options;
  if (!movableStrategies.includes(strategy)) {
    if (Object.hasOwn(strategies, strategy)) {
      throw new NativeError(
        'unsupported',
        `strategy: ${strategy} does not move blocks; ${movableStrategies.join(' and ')} do`,
      );
    }
    throw invalidArgument('strategy', `one of ${movableStrategies.join(', ')}`, strategy);
  }
  checkAlignment('minimumAlignment', minimumAlignment);
  checkBytes('bytes', bytes);
  checkMapping('payload', payload);
  if (options.ledger !== undefined) checkMapping('ledger', options.ledger);
  const ownsLedger = options.ledger === undefined;
  const ledger = options.ledger ?? privateLedger(bytes, minimumAlignment);
  try {
    const arena = native.arenaCreate(
      strategy,
      bytes,
      minimumAlignment,
      ledger.handle,
      recover,
      payload.handle,
    );
    return new MovableArena(arena, { payload, ledger, ownsLedger }, { strategy, bytes, minimumAlignment });
  } catch (error) {
    if (ownsLedger) ledger.close();
    throw error;
  }
}

/** An empty arena. What was in the ledger is over: its handles are stale. */
export function createMovableArena(options: MovableArenaOptions): MovableArena {
  return make(options, false);
}

/**
 * With every block that was published in the ledger when its owner died, under the same handles; a block that was on
 * its way is whole again. `leftOutBlocks` says how many of them could not be, and were ended. Pins are over: whoever
 * else still maps the segment must have let go before.
 */
export function recoverMovableArena(options: MovableArenaOptions & { ledger: Mapping }): MovableArena {
  return make(options, true);
}

/** The arena of another thread; both mappings are this thread's own, of the same ledger and the same segment. */
export function attachMovableArena(
  shared: SharedMovableArena,
  mappings: { payload: Mapping; ledger: Mapping },
): MovableArena {
  const { payload, ledger } = mappings;
  const arena = native.arenaAttach(shared.arena, ledger.handle, payload.handle);
  return new MovableArena(arena, { payload, ledger, ownsLedger: false }, shared);
}
