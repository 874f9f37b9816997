// Pins keep a block that moves in its place. They are counted in the block's slot, where the thread that moves blocks
// looks before it begins: taking a pin and giving it back is an atomic exchange in the ledger, and no native call.
// The order of the accesses is that of alloc/pins.h: announce the pin, then look whether the block is still there.

import { NativeError } from './errors.ts';
import * as layout from './ledger-layout.ts';
import type { Mapping } from './mapping.ts';

// Constants of this file, because the compiler folds those and not what it imports.
const { slotsAt, wordsPerSlot, generationMask, stateMask, liveState, slotMask, tagShift } = layout;
const { movingPins, twoTo32 } = layout;
const { offset: offsetWord, length: lengthWord } = layout.slot;
const { arena: arenaWord, tag: tagWord } = layout.header;
const mostPins = movingPins - 1;

/** As HoldOutcome in alloc/pins.h. */
export const holdOutcome = { held: 0, unknownBlock: 1, tooManyPins: 2, onTheMove: 3 } as const;
export type HoldOutcome = (typeof holdOutcome)[keyof typeof holdOutcome];

/** Whether a slot with this word is the block's, as far as the generation tells. */
function names(handle: number, word: number): boolean {
  return (word & stateMask) === liveState && (handle - (handle >>> 0)) / twoTo32 === (word & generationMask);
}

/** The slots of movable blocks, as one thread sees them; a slot is named by the number of its first word. */
export class MovableSlots {
  readonly #words: Int32Array;
  /** Two to a word: the lower half of a slot's second word counts its pins. */
  readonly #halves: Uint16Array;
  readonly #tag: number;
  readonly #arenaLow: number;
  readonly #arenaHigh: number;

  constructor(ledger: Mapping) {
    const window = ledger.view(0, ledger.bytes).buffer as ArrayBuffer;
    const words = new Int32Array(window, 0, Math.floor(ledger.bytes / 4));
    this.#words = words;
    this.#halves = new Uint16Array(window, 0, words.length * 2);
    this.#tag = words[tagWord] ?? 0;
    this.#arenaLow = words[arenaWord] ?? 0;
    this.#arenaHigh = words[arenaWord + 1] ?? 0;
  }

  /** Empty when the mapping of the ledger was closed. */
  get words(): Int32Array {
    return this.#words;
  }

  /** -1 for a handle that is stale, foreign or never was one. */
  find(handle: number): number {
    const low = handle >>> 0;
    const at = slotsAt + (low & slotMask) * wordsPerSlot;
    const words = this.#words;
    if (low >>> tagShift !== this.#tag || at >= words.length) return -1;
    return names(handle, words[at] as number) ? at : -1;
  }

  offsetOf(at: number): number {
    return this.#wide(at + offsetWord);
  }

  lengthOf(at: number): number {
    return this.#wide(at + lengthWord);
  }

  /** `at` is where the handle was found. */
  pin(at: number, handle: number): HoldOutcome {
    const halves = this.#halves;
    const pins = at * 2 + 2;
    let seen = 0;
    for (;;) {
      const found = Atomics.compareExchange(halves, pins, seen, seen + 1);
      if (found === seen) break;
      if (found === movingPins) return holdOutcome.onTheMove;
      if (found === mostPins) return holdOutcome.tooManyPins;
      seen = found;
    }
    if (names(handle, Atomics.load(this.#words, at))) return holdOutcome.held;
    // The block ended before the pin stood; then the pin is on nothing, or on another block.
    Atomics.sub(halves, pins, 1);
    return holdOutcome.unknownBlock;
  }

  /** True when the block has ended and this was the last that kept its memory. */
  unpin(at: number, handle: number): boolean {
    const words = this.#words;
    // Pins end with their arena: in a ledger that has another one by now, the count is not theirs.
    if (words[arenaWord] !== this.#arenaLow || words[arenaWord + 1] !== this.#arenaHigh) return false;
    return Atomics.sub(this.#halves, at * 2 + 2, 1) === 1 && !names(handle, Atomics.load(words, at));
  }

  #wide(at: number): number {
    return ((this.#words[at] as number) >>> 0) + (this.#words[at + 1] as number) * twoTo32;
  }
}

/** What a pin needs of the arena that gave it. */
export interface PinHolder {
  readonly slots: MovableSlots;
  readonly payload: Mapping;
  /** The last pin of a block that has ended is gone. */
  drain(): void;
  /** Throws when the arena, or a mapping that it needs, is closed. */
  requireOpen(): void;
}

/**
 * As long as it is held the block stays at its offset and its memory serves no other block, even when somebody frees
 * it. For work of a device, hold it until the device is done, and then release it. A pin that is forgotten keeps its
 * block in place as long as the arena lives, also when its thread ends.
 */
export class Pin {
  readonly handle: number;
  /** The bytes that were asked for. */
  readonly length: number;
  readonly #offset: number;
  readonly #at: number;
  #holder: PinHolder | null;

  /** Made by `MovableArena.pin`. */
  constructor(holder: PinHolder, handle: number, at: number) {
    this.handle = handle;
    this.#holder = holder;
    this.#at = at;
    this.#offset = holder.slots.offsetOf(at);
    this.length = holder.slots.lengthOf(at);
  }

  get isHeld(): boolean {
    return this.#holder !== null;
  }

  /** In the segment, for a device or another process; true as long as the pin is held. */
  get offset(): number {
    this.#held();
    return this.#offset;
  }

  /** The block's bytes, or a part of them. Not to be used once the pin is released: then other blocks may be there. */
  view(start = 0, length: number = this.length - start): Uint8Array {
    const { payload } = this.#held();
    if (!(start >= 0 && length >= 0 && start + length <= this.length)) {
      throw new NativeError(
        'invalid_argument',
        `view: ${length} bytes from ${start} are not inside the block of ${this.length} bytes`,
      );
    }
    return payload.view(this.#offset + start, length);
  }

  /** Once is enough; more does nothing. */
  release(): void {
    const holder = this.#holder;
    if (holder === null) return;
    this.#holder = null;
    if (holder.slots.unpin(this.#at, this.handle)) holder.drain();
  }

  [Symbol.dispose](): void {
    this.release();
  }

  #held(): PinHolder {
    const holder = this.#holder;
    if (holder === null) throw new NativeError('closed', `pin of handle ${this.handle}: already released`);
    holder.requireOpen();
    return holder;
  }
}
