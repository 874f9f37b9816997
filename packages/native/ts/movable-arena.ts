// Blocks that move behind their handles, so that free room that is scattered becomes room that is usable. An offset
// is therefore told to whoever has pinned the block, and to nobody else.

import { native } from './addon.ts';
import { unknownBlock } from './arena-types.ts';
import { checkAlignment, checkBytes } from './check.ts';
import { invalidArgument, NativeError } from './errors.ts';
import { type Figures, readFigures } from './figures.ts';
import * as layout from './ledger-layout.ts';
import type { Mapping } from './mapping.ts';
import type { NativeArena } from './native.ts';
import { type HoldOutcome, holdOutcome, MovableSlots, Pin, type PinHolder } from './pins.ts';

/** Strategies that keep their ranges by address. */
export type MovableStrategyName = 'first_fit' | 'best_fit';

export interface MovableFigures extends Figures {
  /** Since the ledger was made. */
  readonly movedBlocks: number;
  readonly movedBytes: number;
}

export interface MovableArenaStats extends MovableFigures {
  readonly freeBytes: number;
  readonly largestFreeBytes: number;
  /** Freed while they were pinned; their memory waits for the last pin and counts as live until then. */
  readonly waitingBlocks: number;
}

export interface CompactionBudget {
  /** Bytes to copy at most, default 1 MiB; a block that is larger moves over several passes. */
  maxBytes?: number;
  /** Blocks to move at most, default 128. */
  maxMoves?: number;
}

export interface CompactionPass {
  readonly movedBytes: number;
  /** That have arrived. */
  readonly movedBlocks: number;
  /** By how much the largest free range is larger than before. */
  readonly largestFreeGrowthBytes: number;
  /** False when a whole round found nothing that can move. */
  readonly more: boolean;
}

/** What another thread of this process needs to use the same arena; a message to a worker may carry it. */
export interface SharedMovableArena {
  readonly arena: number;
  readonly strategy: MovableStrategyName;
  readonly bytes: number;
  readonly minimumAlignment: number;
}

export interface MovableMappings {
  readonly payload: Mapping;
  readonly ledger: Mapping;
  readonly ownsLedger: boolean;
}

const defaultPassBytes = 1_048_576;
const defaultPassMoves = 128;

export class MovableArena {
  readonly strategy: MovableStrategyName;
  readonly bytes: number;
  readonly minimumAlignment: number;
  /** That contradicted themselves or others in a recovered ledger, and were ended; 0 when the owner was only killed. */
  readonly leftOutBlocks: number;
  readonly #slots: MovableSlots;
  readonly #counters: Float64Array;
  readonly #mappings: MovableMappings;
  readonly #pinHolder: PinHolder;
  #native: NativeArena | null;

  /** Made by `createMovableArena`, `recoverMovableArena` and `attachMovableArena`. */
  constructor(arena: NativeArena, mappings: MovableMappings, shape: Omit<SharedMovableArena, 'arena'>) {
    this.#native = arena;
    this.#mappings = mappings;
    this.strategy = shape.strategy;
    this.bytes = shape.bytes;
    this.minimumAlignment = shape.minimumAlignment;
    this.leftOutBlocks = native.arenaLeftOutBlocks(arena);
    this.#slots = new MovableSlots(mappings.ledger);
    this.#counters = new Float64Array(this.#slots.words.buffer, 0, layout.headerBytes / 8);
    this.#pinHolder = {
      slots: this.#slots,
      payload: mappings.payload,
      drain: () => {
        if (this.#native !== null) native.movableDrain(this.#native);
      },
      requireOpen: () => {
        this.#open();
      },
    };
  }

  get closed(): boolean {
    return this.#native === null;
  }

  /**
   * The handle of a new block (53 bits, never 0); blocks move when there is no room otherwise, which may copy all that
   * is live. Null when too few bytes are free, or when pinned blocks divide what is free so that no part has enough
   * even after blocks moved between the parts; each alignment above the minimum may cost up to its difference.
   */
  allocate(bytes: number, alignment: number = this.minimumAlignment): number | null {
    const arena = this.#open();
    checkBytes('bytes', bytes);
    checkAlignment('alignment', alignment);
    const handle = native.movableAllocate(arena, bytes, alignment);
    return handle === 0 ? null : handle;
  }

  /** The handle ends at once. Of a pinned block the memory stays as it is until the last pin is released. */
  free(handle: number): void {
    if (native.movableFree(this.#open(), handle) !== 0) throw unknownBlock(handle);
  }

  isLive(handle: number): boolean {
    this.#open();
    return this.#slots.find(handle) >= 0;
  }

  /** The bytes that were asked for, before rounding. */
  lengthOf(handle: number): number {
    this.#open();
    const at = this.#slots.find(handle);
    if (at < 0) throw unknownBlock(handle);
    return this.#slots.lengthOf(at);
  }

  /** Keeps the block in place until the pin is released; `using` does so at the end of a scope. */
  pin(handle: number): Pin {
    const arena = this.#open();
    const slots = this.#slots;
    const at = slots.find(handle);
    if (at < 0) throw unknownBlock(handle);
    let outcome = slots.pin(at, handle);
    if (outcome === holdOutcome.onTheMove) outcome = native.movablePin(arena, handle) as HoldOutcome;
    if (outcome === holdOutcome.held) return new Pin(this.#pinHolder, handle, at);
    if (outcome === holdOutcome.unknownBlock) throw unknownBlock(handle);
    throw new NativeError('backpressure', `handle ${handle}: has as many pins as can be counted`);
  }

  /** The block is pinned until the action is done: until it returns, or until the promise that it returns settles. */
  use<Result>(handle: number, action: (bytes: Uint8Array) => Result): Result {
    const pin = this.pin(handle);
    let result: Result;
    let lasts: boolean;
    try {
      result = action(pin.view());
      lasts = isPromiseLike(result);
    } catch (error) {
      pin.release();
      throw error;
    }
    if (lasts) return Promise.resolve(result).finally(() => pin.release()) as Result;
    pin.release();
    return result;
  }

  /** One step towards all free memory in one range. Call it again while its answer says `more`. */
  compact(budget: CompactionBudget = {}): CompactionPass {
    const { maxBytes = defaultPassBytes, maxMoves = defaultPassMoves } = budget;
    const arena = this.#open();
    checkBytes('maxBytes', maxBytes);
    if (!Number.isSafeInteger(maxMoves) || maxMoves < 1) {
      throw invalidArgument('maxMoves', 'a whole number from 1', maxMoves);
    }
    return native.movablePass(arena, maxBytes, maxMoves);
  }

  /** Of all threads that have the arena, without a lock. */
  figures(): MovableFigures {
    this.#open();
    const { words } = this.#slots;
    const wide = (at: number) =>
      ((words[at] as number) >>> 0) + ((words[at + 1] as number) >>> 0) * layout.twoTo32;
    // Spreading an object into a new one takes more than a microsecond.
    return Object.assign(readFigures(words, this.#counters), {
      movedBlocks: wide(layout.header.movedBlocks),
      movedBytes: wide(layout.header.movedBytes),
    });
  }

  stats(): MovableArenaStats {
    const arena = this.#open();
    return Object.assign(this.figures(), {
      freeBytes: native.arenaFreeBytes(arena),
      largestFreeBytes: native.arenaLargestFreeBytes(arena),
      waitingBlocks: native.movableWaitingBlocks(arena),
    });
  }

  /** Lets other threads of this process in. Each maps ledger and payload by itself and calls `attachMovableArena`. */
  share(): SharedMovableArena {
    const { strategy, bytes, minimumAlignment } = this;
    return { arena: native.arenaShare(this.#open()), strategy, bytes, minimumAlignment };
  }

  /** Blocks stay as they are in the ledger, and other threads go on; the pins of this thread are not for use any more. */
  close(): void {
    const arena = this.#native;
    if (arena === null) return;
    this.#native = null;
    native.arenaClose(arena);
    if (this.#mappings.ownsLedger) this.#mappings.ledger.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #open(): NativeArena {
    if (this.#native === null) throw new NativeError('closed', 'arena: already closed');
    if (this.#slots.words.length === 0)
      throw new NativeError('closed', 'arena: the mapping of its ledger was closed');
    if (this.#mappings.payload.closed)
      throw new NativeError('closed', 'arena: the mapping of its payload was closed');
    return this.#native;
  }
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}
