// Which frame is where, known to the publisher alone: free, loaned, in the ring, or in limbo, which is out of the ring
// but perhaps still held. Limbo is looked through only when no frame is free: then the holds are read once for all
// frames in it, and the publisher has not one of them to read when it publishes.

import type { Subscriber } from './subscriber.ts';

export interface FrameFigures {
  readonly free: number;
  readonly loaned: number;
  readonly inRing: number;
  readonly inLimbo: number;
}

const none = -1;

export class FramePool {
  private readonly loans: number;
  /** Plain arrays of small numbers: cheaper to the compiler than typed arrays, which may be detached. */
  private readonly free: number[];
  private freeCount: number;
  private loaned = 0;
  /** By place in the ring. */
  private readonly ring: number[];
  private inRing = 0;
  private readonly limbo: number[];
  private limboCount = 0;
  /** By frame: the round in which it was found held. */
  private readonly heldIn: number[];
  private round = 0;

  constructor(frameCount: number, entries: number, loans: number) {
    this.loans = loans;
    // The lowest is given out first, so that memory is touched as it is needed.
    this.free = Array.from({ length: frameCount }, (_, at) => frameCount - 1 - at);
    this.freeCount = frameCount;
    this.ring = new Array<number>(entries).fill(none);
    this.limbo = new Array<number>(frameCount).fill(0);
    this.heldIn = new Array<number>(frameCount).fill(0);
  }

  /** -1 when all loans are taken. */
  loan(subscribers: readonly Subscriber[]): number {
    if (this.loaned === this.loans) return none;
    if (this.freeCount === 0) this.reclaim(subscribers);
    // There is one: the count of frames covers everything that can be kept, loaned and held at once.
    this.loaned += 1;
    this.freeCount -= 1;
    return this.free[this.freeCount] as number;
  }

  /** The frame that the next loan is, if nothing changes before; -1 when none is free. */
  get upcoming(): number {
    return this.freeCount === 0 ? none : (this.free[this.freeCount - 1] as number);
  }

  giveBack(frame: number): void {
    this.loaned -= 1;
    this.free[this.freeCount] = frame;
    this.freeCount += 1;
  }

  isUsed(place: number): boolean {
    return this.ring[place] !== none;
  }

  /** The frame that was there goes to limbo; its entry must have been invalidated. */
  enter(place: number, frame: number): void {
    const old = this.ring[place] as number;
    this.ring[place] = frame;
    this.loaned -= 1;
    if (old === none) {
      this.inRing += 1;
    } else {
      this.limbo[this.limboCount] = old;
      this.limboCount += 1;
    }
  }

  /** Everything in limbo that no subscriber holds is free again. */
  reclaim(subscribers: readonly Subscriber[]): void {
    this.round += 1;
    for (const subscriber of subscribers) subscriber.markHeld(this.heldIn, this.round);
    let kept = 0;
    for (let at = 0; at < this.limboCount; at += 1) {
      const frame = this.limbo[at] as number;
      if (this.heldIn[frame] === this.round) {
        this.limbo[kept] = frame;
        kept += 1;
      } else {
        this.free[this.freeCount] = frame;
        this.freeCount += 1;
      }
    }
    this.limboCount = kept;
  }

  figures(): FrameFigures {
    return {
      free: this.freeCount,
      loaned: this.loaned,
      inRing: this.inRing,
      inLimbo: this.limboCount,
    };
  }
}
