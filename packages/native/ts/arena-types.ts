// What arenas answer and are asked with, apart from the class that does it.

import { invalidArgument, NativeError } from './errors.ts';
import type { Figures } from './figures.ts';
import type { TrimDto } from './native.ts';
import type { StrategyName } from './strategies.ts';

export interface ArenaStats extends Figures {
  readonly freeBytes: number;
  readonly largestFreeBytes: number;
}

export type TrimOutcome = TrimDto;

export interface FreeRange {
  readonly offset: number;
  readonly bytes: number;
}

/** What another thread of this process needs to use the same arena; a message to a worker may carry it. */
export interface SharedArena {
  readonly arena: number;
  readonly strategy: StrategyName;
  readonly bytes: number;
  readonly minimumAlignment: number;
  readonly magazines: boolean;
}

export function unknownBlock(handle: number): NativeError {
  if (!Number.isSafeInteger(handle) || handle < 0) return invalidArgument('handle', 'a block handle', handle);
  return new NativeError(
    'unknown_block',
    `handle ${handle}: no live block of this arena has it (freed, or from another arena)`,
  );
}
