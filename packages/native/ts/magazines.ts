// Rooms that one thread took from its arena in advance, by size class. Publishing one, and taking a freed one back,
// is a store into its slot in the ledger: no native call. A process killed at any instruction leaves slots that say
// reserved, which recovery frees, or live, which it keeps.

import { native } from './addon.ts';
import * as layout from './ledger-layout.ts';
import type { NativeArena } from './native.ts';
import { classFor, classGranules, sizeClasses } from './size-class.ts';

// Constants of this file, because the compiler folds those and not what it imports: they are in every operation.
const { slotsAt, wordsPerSlot, generationMask, stateMask, reservedState, liveState } = layout;
const { lastGeneration, classShift, noClass, slotMask, twoTo32 } = layout;
const { place: placeWord, length: lengthWord } = layout.slot;
const { flushEpoch: flushEpochWord, contended: contendedWord } = layout.header;

/** What one class may hold at most: this many bytes, or two rooms, and never more than so many rooms. */
const classBytes = 262_144;
const mostRooms = 64;

export interface MagazineOptions {
  /** Bytes of the arena; all magazines of a thread together hold a sixteenth of it at most. */
  readonly arenaBytes: number;
  readonly granule: number;
  /** Buddy rooms are powers of two. */
  readonly isBuddy: boolean;
}

/** Of one size class. A plain object and array: cheaper to the compiler than a typed array, which may be detached. */
interface Magazine {
  count: number;
  /** Slots, the newest last; only the first `count` mean anything. */
  readonly slots: number[];
  readonly limit: number;
  readonly roomBytes: number;
}

/**
 * Fields are private by TypeScript and not by `#`: what reads a `#` is twice as long in bytecode, and the compiler then
 * no longer inlines `allocate` and `free` into their callers, a third of their cost.
 */
export class Magazines {
  readonly owner: number;
  private readonly native: NativeArena;
  private readonly words: Int32Array;
  private readonly counters: Float64Array;
  private readonly ownerBits: number;
  private readonly allocationsAt: number;
  private readonly freesAt: number;
  private readonly cachedAt: number;
  private readonly granuleShift: number;
  private readonly largestBytes: number;
  private readonly tagBase: number;
  private readonly mostCachedBytes: number;
  private readonly magazines: readonly Magazine[];
  /** What a native call reads and writes. */
  private readonly passed = new Uint32Array(mostRooms);
  private flushEpoch: number;

  constructor(
    arena: NativeArena,
    owner: number,
    ledger: ArrayBuffer,
    bytes: number,
    options: MagazineOptions,
  ) {
    this.native = arena;
    this.owner = owner;
    this.ownerBits = owner << layout.ownerShift;
    this.words = new Int32Array(ledger, 0, Math.floor(bytes / 4));
    this.counters = new Float64Array(ledger, 0, layout.headerBytes / 8);
    const countersAt = layout.attachmentsAt + (owner - 1) * layout.doublesPerAttachment;
    this.allocationsAt = countersAt + layout.attachment.allocations;
    this.freesAt = countersAt + layout.attachment.frees;
    this.cachedAt = countersAt + layout.attachment.cachedBytes;
    this.granuleShift = Math.log2(options.granule);
    this.tagBase = (this.words[layout.header.tag] ?? 0) * 2 ** layout.tagShift;
    this.flushEpoch = this.words[flushEpochWord] ?? 0;
    this.mostCachedBytes = options.arenaBytes / 16;
    this.magazines = Array.from({ length: sizeClasses }, (_, sizeClass) => magazineFor(sizeClass, options));
    const asked = this.magazines.map((_, sizeClass) => classGranules(sizeClass) * options.granule);
    const isServed = (bytesAsked: number, sizeClass: number) =>
      bytesAsked < 2 ** 31 && (this.magazines[sizeClass]?.roomBytes ?? 0) * 2 <= this.mostCachedBytes;
    this.largestBytes = asked.findLast(isServed) ?? 0;
  }

  get cachedBytes(): number {
    return this.counters[this.cachedAt] ?? 0;
  }

  /**
   * The handle of a block of the arena's smallest alignment; 0 when this is the arena's own business, as numbers are
   * that are no size.
   */
  allocate(bytes: number): number {
    if (bytes <= 0 || bytes > this.largestBytes || (bytes | 0) !== bytes) return 0;
    const sizeClass = classFor(((bytes - 1) >>> this.granuleShift) + 1);
    const magazine = this.magazines[sizeClass] as Magazine;
    let count = magazine.count;
    if (count === 0) {
      count = this.refill(sizeClass, magazine);
      if (count === 0) return 0;
    }
    count -= 1;
    const slot = magazine.slots[count] as number;
    const words = this.words;
    const at = slotsAt + slot * wordsPerSlot;
    const word = words[at];
    // Only when the ledger's mapping was closed under the arena.
    if (word === undefined) return 0;
    magazine.count = count;
    // The upper half of the length is 0 since the room was reserved.
    words[at + lengthWord] = bytes;
    const generation = word & generationMask;
    // Last, because this makes the block exist.
    words[at] = generation | liveState | this.ownerBits;
    const counters = this.counters;
    (counters[this.allocationsAt] as number) += 1;
    (counters[this.cachedAt] as number) -= magazine.roomBytes;
    return generation * twoTo32 + (this.tagBase + slot);
  }

  /** True when the block is freed and its room waits here; false when the arena has to do it, or to refuse it. */
  free(handle: number): boolean {
    const slot = handle & slotMask;
    const words = this.words;
    const at = slotsAt + slot * wordsPerSlot;
    const word = words[at] as number;
    const generation = word & generationMask;
    if ((word & stateMask) !== liveState || generation === lastGeneration) return false;
    // What is stale, foreign, or no whole number equals no handle that this slot can have now.
    if (generation * twoTo32 + (this.tagBase + slot) !== handle) return false;
    const magazine = this.magazines[((words[at + placeWord] as number) >>> classShift) & noClass];
    // A room of no class, or somebody asked for the rooms that wait here.
    if (magazine === undefined || words[flushEpochWord] !== this.flushEpoch) return this.freeBeside();
    const { counters, cachedAt } = this;
    const cached = (counters[cachedAt] as number) + magazine.roomBytes;
    if (cached > this.mostCachedBytes) return false;
    const after = (generation + 1) | reservedState | this.ownerBits;
    if (words[contendedWord] === 0) words[at] = after;
    else if (Atomics.compareExchange(words, at, word, after) !== word) return false;
    (counters[this.freesAt] as number) += 1;
    counters[cachedAt] = cached;
    magazine.slots[magazine.count++] = slot;
    if (magazine.count >= magazine.limit) this.giveBack(magazine, magazine.count >>> 1);
    return true;
  }

  /** Gives everything back to the arena. */
  flush(): void {
    this.flushEpoch = this.words[flushEpochWord] ?? 0;
    for (const magazine of this.magazines) this.giveBack(magazine, magazine.count);
  }

  private freeBeside(): false {
    if (this.words[flushEpochWord] !== this.flushEpoch) this.flush();
    return false;
  }

  /** The oldest: the newest are still in the processor's cache. */
  private giveBack(magazine: Magazine, given: number): void {
    if (given === 0) return;
    const { slots, count } = magazine;
    for (let at = 0; at < given; at += 1) this.passed[at] = slots[at] as number;
    native.arenaGiveBack(this.native, this.passed, 0, given);
    slots.copyWithin(0, given, count);
    magazine.count = count - given;
    (this.counters[this.cachedAt] as number) -= given * magazine.roomBytes;
  }

  private refill(sizeClass: number, magazine: Magazine): number {
    if (this.words[flushEpochWord] !== this.flushEpoch) this.flush();
    const free = this.mostCachedBytes - this.cachedBytes;
    const wish = Math.min(magazine.limit >>> 1, Math.floor(free / magazine.roomBytes));
    if (wish < 1) return 0;
    const count = native.arenaReserve(this.native, sizeClass, this.passed, wish);
    // The first one found is given out first, as without magazines.
    for (let at = 0; at < count; at += 1) magazine.slots[count - 1 - at] = this.passed[at] as number;
    magazine.count = count;
    (this.counters[this.cachedAt] as number) += count * magazine.roomBytes;
    return count;
  }
}

function magazineFor(sizeClass: number, { granule, isBuddy }: MagazineOptions): Magazine {
  const asked = classGranules(sizeClass) * granule;
  const roomBytes = isBuddy ? 2 ** Math.ceil(Math.log2(asked)) : asked;
  const limit = Math.max(2, Math.min(mostRooms, Math.floor(classBytes / roomBytes)));
  // Filled with small numbers, so that the engine keeps it as such.
  return { count: 0, slots: new Array<number>(limit).fill(0), limit, roomBytes };
}
