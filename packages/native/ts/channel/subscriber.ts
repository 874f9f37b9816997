// A subscriber as its publisher sees it: a cursor segment that it may only read, in which anything may stand.

import type { Descriptor } from '../descriptor.ts';
import { cursorWord } from './layout.ts';
import { loadAcquire } from './ordering.ts';
import { Waker } from './sleeper.ts';
import { signal } from './wake.ts';

// Constants of this file, because the compiler folds those and not what it imports.
const { joined: joinedWord, left: leftWord, next: nextWord, holds: holdsWord } = cursorWord;

export class Subscriber {
  readonly slot: number;
  readonly nonce: number;
  readonly waker: Waker;
  isDisconnected = false;
  private readonly words: Int32Array;
  private readonly maxHeld: number;
  /** A sequence up to which everything is known to be taken. */
  private taken: number;

  constructor(
    slot: number,
    nonce: number,
    startSequence: number,
    words: Int32Array,
    maxHeld: number,
    wake: Descriptor | null,
  ) {
    this.slot = slot;
    this.nonce = nonce;
    this.taken = startSequence;
    this.words = words;
    this.maxHeld = maxHeld;
    // A sleeper that is gone is the business of whoever removes it.
    this.waker = new Waker(words, cursorWord.sleep, () => wake !== null && signal(wake));
  }

  get hasLeft(): boolean {
    return loadAcquire(this.words, leftWord) === 1;
  }

  /** Whether it would lose the entry with this sequence, which is the oldest that is kept. Of `head`, nothing is yet. */
  lacks(sequence: number, head: number): boolean {
    if (((this.taken - sequence) | 0) > 0 || this.isDisconnected) return false;
    if (loadAcquire(this.words, joinedWord) === 1) {
      const next = loadAcquire(this.words, nextWord);
      // Nobody has taken what was not published; who says so just blocks nobody for the time of a ring.
      this.taken = ((head - next) | 0) < 0 ? head : next;
    }
    return ((this.taken - sequence) | 0) <= 0 && !this.hasLeft;
  }

  /** Writes the round at every frame that it holds. */
  markHeld(heldIn: number[], round: number): void {
    if (this.hasLeft) return;
    for (let at = 0; at < this.maxHeld; at += 1) {
      const frame = loadAcquire(this.words, holdsWord + at) - 1;
      if (frame >= 0 && frame < heldIn.length) heldIn[frame] = round;
    }
  }
}
