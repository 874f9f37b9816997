// What a policy stands on, and is itself: an arena, or a pile of policies over one. A policy that is not there costs
// nothing, because nothing asks whether it is.

import type { Arena } from '../arena.ts';

/** `Arena` is one. */
export type Allocator = Pick<Arena, 'allocate' | 'free' | 'offsetOf' | 'lengthOf'>;

/** Passes everything on; a policy overrides what it changes. */
export abstract class Policy<Upstream extends Allocator = Allocator> implements Allocator {
  readonly upstream: Upstream;

  constructor(upstream: Upstream) {
    this.upstream = upstream;
  }

  allocate(bytes: number, alignment?: number): number | null {
    return this.upstream.allocate(bytes, alignment);
  }

  free(handle: number): void {
    this.upstream.free(handle);
  }

  offsetOf(handle: number): number {
    return this.upstream.offsetOf(handle);
  }

  lengthOf(handle: number): number {
    return this.upstream.lengthOf(handle);
  }
}
