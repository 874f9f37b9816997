// Blocks of another process, or of another thread, found in its ledger by their handles. The reader takes nothing
// on trust: a place is believed when the slot's word says the same generation before and after it was read.

import { NativeError } from './errors.ts';
import * as layout from './ledger-layout.ts';
import type { Mapping } from './mapping.ts';

export interface BlockPlace {
  readonly offset: number;
  /** Bytes that were asked for. */
  readonly length: number;
}

export class BlockReader {
  readonly #words: Int32Array;
  readonly #segmentBytes: number;

  /** `ledger` may be read-only and stays the caller's; places outside `segmentBytes` are not believed. */
  constructor(ledger: Mapping, segmentBytes: number) {
    const bytes = ledger.view(0, ledger.bytes);
    this.#words = new Int32Array(bytes.buffer, 0, Math.floor(ledger.bytes / 4));
    this.#segmentBytes = segmentBytes;
  }

  /** Null for a handle that is stale, foreign or never was one. */
  find(handle: number): BlockPlace | null {
    const words = this.#words;
    if (words.length === 0) throw new NativeError('closed', 'ledger: its mapping was closed');
    if (words[layout.header.movable] !== 0)
      throw new NativeError('unsupported', 'blocks of a movable arena have no lasting place; pin them there');
    const low = handle >>> 0;
    const at = layout.slotsAt + (low & layout.slotMask) * layout.wordsPerSlot;
    if (low >>> layout.tagShift !== words[layout.header.tag] || at + layout.wordsPerSlot > words.length)
      return null;
    const word = Atomics.load(words, at);
    if ((word & layout.stateMask) !== layout.liveState) return null;
    if ((handle - low) / layout.twoTo32 !== (word & layout.generationMask)) return null;
    const place = {
      offset: this.#wide(at + layout.slot.offset),
      length: this.#wide(at + layout.slot.length),
    };
    if (Atomics.load(words, at) !== word) return null;
    const fits = place.offset + place.length <= this.#segmentBytes && place.length > 0;
    return fits ? place : null;
  }

  #wide(at: number): number {
    return ((this.#words[at] as number) >>> 0) + ((this.#words[at + 1] as number) >>> 0) * layout.twoTo32;
  }
}
