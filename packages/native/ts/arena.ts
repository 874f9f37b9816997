// Blocks inside one segment. The arena hands out offsets and never touches the payload, so it works for memory of a
// device as well; its blocks are named by handles that know when they are stale. With magazines the common path
// stays in JavaScript: a handle is checked, and a block begun or ended, by reading and writing its slot.

import { native } from './addon.ts';
import {
  type ArenaStats,
  type FreeRange,
  type SharedArena,
  type TrimOutcome,
  unknownBlock,
} from './arena-types.ts';
import { checkAlignment, checkBytes, checkOffset } from './check.ts';
import type { Descriptor } from './descriptor.ts';
import { invalidArgument, NativeError } from './errors.ts';
import { type Figures, readFigures, shapeOf } from './figures.ts';
import * as layout from './ledger-layout.ts';
import { Magazines } from './magazines.ts';
import type { Mapping } from './mapping.ts';
import type { NativeArena } from './native.ts';
import type { StrategyName } from './strategies.ts';

const orderViolation = 2;

// Constants of this file, because the compiler folds those and not what it imports.
const { slotsAt, wordsPerSlot, generationMask, stateMask, liveState, slotMask, twoTo32 } = layout;
const { offset: offsetWord, length: lengthWord } = layout.slot;

export class Arena {
  readonly strategy: StrategyName;
  readonly bytes: number;
  readonly minimumAlignment: number;
  /** That contradicted themselves or others in a recovered ledger, and were ended; 0 when the owner was only killed. */
  readonly leftOutBlocks: number;
  /** Empty once the arena is closed: then no handle is found. */
  private words: Int32Array;
  readonly #counters: Float64Array;
  private readonly tagBase: number;
  readonly #ledger: Mapping;
  readonly #ownsLedger: boolean;
  private magazines: Magazines | null = null;
  private handle: NativeArena | null;

  /** Made by `createArena`, `recoverArena` and `attachArena`. */
  constructor(arena: NativeArena, ledger: Mapping, ownsLedger: boolean, shape: Omit<SharedArena, 'arena'>) {
    this.handle = arena;
    this.#ledger = ledger;
    this.#ownsLedger = ownsLedger;
    this.strategy = shape.strategy;
    this.bytes = shape.bytes;
    this.minimumAlignment = shape.minimumAlignment;
    this.leftOutBlocks = native.arenaLeftOutBlocks(arena);
    const ledgerBytes = native.ledgerBytesFor(shape.bytes, shape.minimumAlignment);
    const window = ledger.view(0, ledgerBytes).buffer as ArrayBuffer;
    this.words = new Int32Array(window, 0, ledgerBytes / 4);
    this.#counters = new Float64Array(window, 0, layout.headerBytes / 8);
    this.tagBase = (this.words[layout.header.tag] ?? 0) * 2 ** layout.tagShift;
    // A stack has an order, which rooms taken in advance would break.
    if (!shape.magazines || shape.strategy === 'stack') return;
    const owner = native.arenaOpenMagazines(arena);
    if (owner === 0) return;
    this.magazines = new Magazines(arena, owner, window, ledgerBytes, {
      arenaBytes: shape.bytes,
      granule: shape.minimumAlignment,
      isBuddy: this.words[layout.header.powerOfTwoRooms] !== 0,
    });
  }

  get closed(): boolean {
    return this.handle === null;
  }

  /** Blocks of common sizes begin and end without a native call. */
  get hasMagazines(): boolean {
    return this.magazines !== null;
  }

  /** The handle of a new block (53 bits, never 0), or null when nothing fits. */
  allocate(bytes: number, alignment: number = this.minimumAlignment): number | null {
    const magazines = this.magazines;
    if (magazines !== null && alignment === this.minimumAlignment) {
      const handle = magazines.allocate(bytes);
      if (handle !== 0) return handle;
    }
    return this.allocateNative(bytes, alignment);
  }

  /** Takes a given range, to rebuild an arena after a restart; null when any of it is taken. */
  allocateAt(offset: number, bytes: number): number | null {
    const arena = this.open();
    checkOffset('offset', offset);
    this.magazines?.flush();
    const handle = native.arenaAllocateAt(arena, offset, checkBytes('bytes', bytes));
    return handle === 0 ? null : handle;
  }

  /** One native call for many blocks. Answers how many of the sizes, in order, got a handle. */
  allocateMany(
    sizes: Float64Array,
    handles: Float64Array,
    alignment: number = this.minimumAlignment,
  ): number {
    const arena = this.open();
    checkAlignment('alignment', alignment);
    const done = native.arenaAllocateMany(arena, sizes, alignment, handles);
    if (done === sizes.length || this.magazines === null || this.magazines.cachedBytes === 0) return done;
    this.magazines.flush();
    return done + native.arenaAllocateMany(arena, sizes.subarray(done), alignment, handles.subarray(done));
  }

  /** One native call for many blocks; a stale handle ends it with an error that names it. */
  freeMany(handles: Float64Array): void {
    const freed = native.arenaFreeMany(this.open(), handles);
    if (freed < handles.length) this.free(handles[freed] as number);
  }

  offsetOf(handle: number): number {
    const { words } = this;
    const slot = handle & slotMask;
    const at = slotsAt + slot * wordsPerSlot;
    const word = words[at] as number;
    if ((word & stateMask) === liveState)
      if ((word & generationMask) * twoTo32 + (this.tagBase + slot) === handle)
        return ((words[at + offsetWord] as number) >>> 0) + (words[at + offsetWord + 1] as number) * twoTo32;
    throw this.unknown(handle);
  }

  /** The bytes that were asked for, before rounding. */
  lengthOf(handle: number): number {
    const at = this.find(handle);
    if (at < 0) throw this.unknown(handle);
    const words = this.words;
    return ((words[at + lengthWord] as number) >>> 0) + (words[at + lengthWord + 1] as number) * twoTo32;
  }

  isLive(handle: number): boolean {
    this.open();
    return this.find(handle) >= 0;
  }

  free(handle: number): void {
    if (this.magazines?.free(handle)) return;
    this.freeNative(handle);
  }

  /** Stack only: the state to which `rewind` can return. */
  mark(): number {
    return native.arenaMark(this.open());
  }

  /** Stack only: frees everything allocated since the mark was taken. */
  rewind(mark: number): void {
    const arena = this.open();
    if (!Number.isSafeInteger(mark) || mark < 0) throw invalidArgument('mark', 'a mark of this arena', mark);
    if (native.arenaRewind(arena, mark) !== 0) {
      throw new NativeError(
        'order_violation',
        `mark ${mark}: the block that was newest then is not on the stack any more`,
      );
    }
  }

  /** Gives the rooms in this thread's magazines back to the arena. */
  flush(): void {
    this.open();
    this.magazines?.flush();
  }

  /** Of all threads that have the arena, without a lock. */
  figures(): Figures {
    this.open();
    return readFigures(this.words, this.#counters);
  }

  stats(): ArenaStats {
    const largestFreeBytes = native.arenaLargestFreeBytes(this.open());
    // A spread would cost more than the figures themselves.
    return Object.assign(this.figures(), { freeBytes: native.arenaFreeBytes(this.open()), largestFreeBytes });
  }

  get largestFreeBytes(): number {
    this.magazines?.flush();
    return native.arenaLargestFreeBytes(this.open());
  }

  /** By rising offset. */
  freeRanges(): FreeRange[] {
    const edges = native.arenaFreeRanges(this.open());
    const ranges: FreeRange[] = [];
    for (let at = 0; at + 1 < edges.length; at += 2) {
      const offset = edges[at] as number;
      ranges.push({ offset, bytes: (edges[at + 1] as number) - offset });
    }
    return ranges;
  }

  /**
   * Gives whole free pages of the segment back to the system: what was written there is lost, and they cost no memory
   * until a block touches them again. `segment` is the descriptor of what `payload` maps; a segment that was sealed
   * at its first grant refuses, and the reason says so.
   */
  trim(payload: Mapping, segment: Descriptor, minimumBytes = 65_536): TrimOutcome {
    const arena = this.open();
    this.magazines?.flush();
    return native.arenaTrim(arena, payload.handle, segment.fd, checkOffset('minimumBytes', minimumBytes));
  }

  /** For the other files of this package: what a message said of the arena is true. */
  isShapedAs(shape: { bytes: number; minimumAlignment: number }): boolean {
    const { bytes, minimumAlignment } = shapeOf(this.words);
    return bytes === shape.bytes && minimumAlignment === shape.minimumAlignment;
  }

  /** Threads of this process that have the arena, this one included. */
  get threads(): number {
    return native.arenaThreads(this.open());
  }

  /** Lets other threads of this process in. Each maps the ledger by itself and calls `attachArena`. */
  share(): SharedArena {
    const { strategy, bytes, minimumAlignment } = this;
    const arena = native.arenaShare(this.open());
    return { arena, strategy, bytes, minimumAlignment, magazines: this.hasMagazines };
  }

  /** Blocks stay as they are in the ledger; other threads that have the arena go on. */
  close(): void {
    const arena = this.handle;
    if (arena === null) return;
    this.handle = null;
    this.magazines = null;
    this.words = new Int32Array(0);
    native.arenaClose(arena);
    if (this.#ownsLedger) this.#ledger.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  private freeNative(handle: number): void {
    const outcome = native.arenaFree(this.open(), handle);
    if (outcome === 0) return;
    if (outcome === orderViolation) {
      throw new NativeError(
        'order_violation',
        `handle ${handle}: a stack frees its newest block first; free what came later, or rewind to a mark`,
      );
    }
    throw unknownBlock(handle);
  }

  private allocateNative(bytes: number, alignment: number): number | null {
    const arena = this.open();
    checkBytes('bytes', bytes);
    checkAlignment('alignment', alignment);
    const handle = native.arenaAllocate(arena, bytes, alignment);
    if (handle !== 0) return handle;
    const magazines = this.magazines;
    return magazines === null ? null : this.#allocateFromAll(arena, magazines, bytes, alignment);
  }

  /** Magazines are there to be fast, and not to make an allocation fail. */
  #allocateFromAll(
    arena: NativeArena,
    magazines: Magazines,
    bytes: number,
    alignment: number,
  ): number | null {
    if (this.figures().cachedBytes === 0) return null;
    if (this.words[layout.header.contended] !== 0) native.arenaAskFlush(arena);
    magazines.flush();
    const handle = native.arenaAllocateAgain(arena, bytes, alignment);
    return handle === 0 ? null : handle;
  }

  /** The first word of the block's slot, or -1. */
  private find(handle: number): number {
    const slot = handle & slotMask;
    const at = slotsAt + slot * wordsPerSlot;
    const word = this.words[at] as number;
    const isLive =
      (word & stateMask) === liveState &&
      (word & generationMask) * twoTo32 + (this.tagBase + slot) === handle;
    return isLive ? at : -1;
  }

  private unknown(handle: number): NativeError {
    this.open();
    return unknownBlock(handle);
  }

  private open(): NativeArena {
    if (this.handle === null) throw new NativeError('closed', 'arena: already closed');
    if (this.words.length === 0)
      throw new NativeError('closed', 'arena: the mapping of its ledger was closed');
    return this.handle;
  }
}
