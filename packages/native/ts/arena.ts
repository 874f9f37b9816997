// Blocks inside one segment. The arena hands out offsets and never touches the payload, so it works for
// memory of a device as well; its blocks are named by handles that know when they are stale.

import { native } from './addon.ts';
import { checkBytes, checkOffset } from './check.ts';
import { invalidArgument, NativeError } from './errors.ts';
import type { Mapping } from './mapping.ts';
import type { ArenaStatsDto, NativeArena } from './native.ts';
import { type StrategyName, strategies } from './strategies.ts';

export type ArenaStats = ArenaStatsDto;

export interface ArenaOptions {
  strategy: StrategyName;
  /** Bytes of the segment; what is less than one minimumAlignment at its end stays unused. */
  bytes: number;
  /** Power of two up to 65536, default 64 (a cache line); also the unit in which blocks are cut. */
  minimumAlignment?: number;
  /** Read-write mapping of a ledger page, initialised here and kept mapped until the arena is closed. */
  ledger?: Mapping;
}

const maxAlignment = 65536;
const orderViolation = 2;

export function createArena(options: ArenaOptions): Arena {
  const { strategy, bytes, minimumAlignment = 64, ledger } = options;
  if (!Object.hasOwn(strategies, strategy)) {
    throw invalidArgument('strategy', `one of ${Object.keys(strategies).join(', ')}`, strategy);
  }
  checkAlignment('minimumAlignment', minimumAlignment);
  if (ledger !== undefined && ledger.access !== 'read-write') {
    throw invalidArgument('ledger', 'a read-write mapping', ledger.access);
  }
  return Arena.fromNative(
    native.arenaCreate(strategy, checkBytes('bytes', bytes), minimumAlignment, ledger?.handle ?? null),
    minimumAlignment,
  );
}

function checkAlignment(name: string, value: number): void {
  // Below 2^31 the bit operators are exact; everything above is refused before.
  if (!Number.isInteger(value) || value < 1 || value > maxAlignment || (value & (value - 1)) !== 0) {
    throw invalidArgument(name, `a power of two from 1 to ${maxAlignment}`, value);
  }
}

function unknownBlock(handle: number): NativeError {
  if (!Number.isSafeInteger(handle) || handle < 0) return invalidArgument('handle', 'a block handle', handle);
  return new NativeError(
    'unknown_block',
    `handle ${handle}: no live block of this arena has it (freed, or from another arena)`,
  );
}

export class Arena {
  readonly #minimumAlignment: number;
  #native: NativeArena | null;

  private constructor(arena: NativeArena, minimumAlignment: number) {
    this.#native = arena;
    this.#minimumAlignment = minimumAlignment;
  }

  static fromNative(arena: NativeArena, minimumAlignment: number): Arena {
    return new Arena(arena, minimumAlignment);
  }

  get closed(): boolean {
    return this.#native === null;
  }

  /** The handle of a new block (53 bits, never 0), or null when nothing fits. */
  allocate(bytes: number, alignment: number = this.#minimumAlignment): number | null {
    const arena = this.#open();
    checkBytes('bytes', bytes);
    checkAlignment('alignment', alignment);
    const handle = native.arenaAllocate(arena, bytes, alignment);
    return handle === 0 ? null : handle;
  }

  /** Takes a given range, to rebuild an arena after a restart; null when any of it is taken. */
  allocateAt(offset: number, bytes: number): number | null {
    const arena = this.#open();
    checkOffset('offset', offset);
    const handle = native.arenaAllocateAt(arena, offset, checkBytes('bytes', bytes));
    return handle === 0 ? null : handle;
  }

  offsetOf(handle: number): number {
    const offset = native.arenaOffsetOf(this.#open(), handle);
    if (offset < 0) throw unknownBlock(handle);
    return offset;
  }

  /** The bytes that were asked for, before rounding. */
  lengthOf(handle: number): number {
    const bytes = native.arenaLengthOf(this.#open(), handle);
    if (bytes < 0) throw unknownBlock(handle);
    return bytes;
  }

  free(handle: number): void {
    const outcome = native.arenaFree(this.#open(), handle);
    if (outcome === 0) return;
    if (outcome === orderViolation) {
      throw new NativeError(
        'order_violation',
        `handle ${handle}: a stack frees its newest block first; free what came later, or rewind to a mark`,
      );
    }
    throw unknownBlock(handle);
  }

  /** Stack only: the state to which `rewind` can return. */
  mark(): number {
    return native.arenaMark(this.#open());
  }

  /** Stack only: frees everything allocated since the mark was taken. */
  rewind(mark: number): void {
    const arena = this.#open();
    if (!Number.isSafeInteger(mark) || mark < 0) throw invalidArgument('mark', 'a mark of this arena', mark);
    if (native.arenaRewind(arena, mark) !== 0) {
      throw new NativeError(
        'order_violation',
        `mark ${mark}: the block that was newest then is not on the stack any more`,
      );
    }
  }

  stats(): ArenaStats {
    return native.arenaStats(this.#open());
  }

  close(): void {
    const arena = this.#native;
    if (arena === null) return;
    this.#native = null;
    native.arenaClose(arena);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #open(): NativeArena {
    if (this.#native === null) throw new NativeError('closed', 'arena: already closed');
    return this.#native;
  }
}
