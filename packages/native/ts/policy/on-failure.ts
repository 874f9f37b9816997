// Asks for help when nothing fits: a callback frees something, or leases more, and says whether to try again.

import { checkOffset } from '../check.ts';
import { type Allocator, Policy } from './allocator.ts';

export interface FailedAllocation {
  readonly bytes: number;
  readonly alignment: number | undefined;
  /** From 1. */
  readonly attempt: number;
}

export class OnFailure<Upstream extends Allocator> extends Policy<Upstream> {
  readonly #help: (failed: FailedAllocation) => boolean;
  readonly #mostAttempts: number;

  /** `help` answers true to try again, at most so many times for one allocation. */
  constructor(upstream: Upstream, help: (failed: FailedAllocation) => boolean, mostAttempts = 8) {
    super(upstream);
    this.#help = help;
    this.#mostAttempts = checkOffset('mostAttempts', mostAttempts);
  }

  override allocate(bytes: number, alignment?: number): number | null {
    for (let attempt = 1; ; attempt += 1) {
      const handle = super.allocate(bytes, alignment);
      if (handle !== null) return handle;
      if (attempt > this.#mostAttempts || !this.#help({ bytes, alignment, attempt })) return null;
    }
  }
}
