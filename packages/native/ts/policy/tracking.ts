// Which part of a program holds the memory: allocations are sampled by bytes, so that large ones are seen almost
// surely and small ones cost nothing, and each sample that is still live keeps the site it came from. Scaled by the
// chance of having been sampled, the samples estimate what every site holds, without bias.

import { checkBytes } from '../check.ts';
import { type Allocator, Policy } from './allocator.ts';

export interface TrackingOptions {
  /** One sample in so many bytes on average; 1 takes every allocation. Default 512 KiB. */
  readonly sampleBytes?: number;
  /** Evenly from 0 (inclusive) to 1 (exclusive). */
  readonly random?: () => number;
  /** Names the site of the allocation that is going on; default: the stack of the caller. Called for samples only. */
  readonly site?: () => string;
}

export interface Outstanding {
  readonly handle: number;
  readonly site: string;
  readonly bytes: number;
}

export interface SiteReport {
  readonly site: string;
  readonly samples: number;
  readonly sampledBytes: number;
  readonly estimatedBlocks: number;
  readonly estimatedBytes: number;
}

export class Tracking<Upstream extends Allocator> extends Policy<Upstream> {
  readonly #samples = new Map<number, { readonly site: string; readonly bytes: number }>();
  readonly #sampleBytes: number;
  readonly #random: () => number;
  readonly #site: () => string;
  #bytesToSample: number;

  constructor(upstream: Upstream, options: TrackingOptions = {}) {
    super(upstream);
    this.#sampleBytes = checkBytes('sampleBytes', options.sampleBytes ?? 512 * 1024);
    this.#random = options.random ?? Math.random;
    this.#site = options.site ?? (() => callerStack(this.allocate));
    this.#bytesToSample = this.#distance();
  }

  override allocate(bytes: number, alignment?: number): number | null {
    if (bytes < this.#bytesToSample) {
      const passed = super.allocate(bytes, alignment);
      if (passed !== null) this.#bytesToSample -= bytes;
      return passed;
    }
    // First, because it may throw.
    const site = this.#site();
    const handle = super.allocate(bytes, alignment);
    if (handle === null) return null;
    this.#samples.set(handle, { site, bytes });
    this.#bytesToSample = this.#distance();
    return handle;
  }

  override free(handle: number): void {
    super.free(handle);
    if (this.#samples.size > 0) this.#samples.delete(handle);
  }

  /** Sampled blocks that are live. */
  outstanding(): Outstanding[] {
    return [...this.#samples].map(([handle, sample]) => ({ handle, ...sample }));
  }

  /** By estimated bytes, the largest first. */
  report(): SiteReport[] {
    const sites = new Map<string, { samples: number; sampledBytes: number; blocks: number; bytes: number }>();
    for (const { site, bytes } of this.#samples.values()) {
      const sum = sites.get(site) ?? { samples: 0, sampledBytes: 0, blocks: 0, bytes: 0 };
      // A block of so many bytes is sampled with this chance; each sample stands for 1 ÷ chance blocks.
      const chance = this.#sampleBytes === 1 ? 1 : -Math.expm1(-bytes / this.#sampleBytes);
      sum.samples += 1;
      sum.sampledBytes += bytes;
      sum.blocks += 1 / chance;
      sum.bytes += bytes / chance;
      sites.set(site, sum);
    }
    return [...sites]
      .map(([site, { samples, sampledBytes, blocks, bytes }]) => ({
        site,
        samples,
        sampledBytes,
        estimatedBlocks: blocks,
        estimatedBytes: bytes,
      }))
      .sort((a, b) => b.estimatedBytes - a.estimatedBytes);
  }

  /** Bytes to the next sample: exponential, so that no rhythm of the program hides from it. */
  #distance(): number {
    return this.#sampleBytes === 1 ? 1 : -Math.log(1 - this.#random()) * this.#sampleBytes;
  }
}

function callerStack(below: (...parameters: never[]) => unknown): string {
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, below);
  return (holder.stack ?? '').split('\n').slice(1).join('\n');
}
