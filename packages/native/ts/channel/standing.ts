// Whether a subscription is still wanted, as its publisher's segment says: admitted, too slow, removed, or closed.

import { admission, channelWord, disconnectedState, freeState, wordsPerAdmission } from './layout.ts';
import { loadAcquire } from './ordering.ts';
import type { SubscriptionEnd } from './subscription-types.ts';

/** Fields are private by TypeScript, because every take asks (subscription.ts). */
export class Standing {
  private readonly words: Int32Array;
  private readonly at: number;
  private readonly nonce: number;

  constructor(words: Int32Array, slot: number, nonce: number) {
    this.words = words;
    this.at = channelWord.admissions + slot * wordsPerAdmission;
    this.nonce = nonce;
  }

  get startSequence(): number {
    return this.words[this.at + admission.startSequence] as number;
  }

  get isRemoved(): boolean {
    const state = loadAcquire(this.words, this.at + admission.state);
    return state === freeState || this.words[this.at + admission.nonce] !== this.nonce;
  }

  /** How it ends as soon as everything is taken; null when nothing says so. */
  get end(): SubscriptionEnd | null {
    if (this.isRemoved) return 'removed';
    if (loadAcquire(this.words, this.at + admission.state) === disconnectedState) return 'disconnected';
    return loadAcquire(this.words, channelWord.closed) === 1 ? 'closed' : null;
  }
}
