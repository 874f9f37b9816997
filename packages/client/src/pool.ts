/**
 * A pool as one container sees it: blocks out of segments that it leases when it needs room. Between leases nothing
 * here talks to anyone, so it works on while the agent, NATS or the orchestrator are away.
 */
import { NautilusError } from '@nautilus/contracts';
import { acquireSegment } from './acquire-segment.ts';
import { Block, type BlockHome } from './block.ts';
import { throwIfCancelled } from './cancellation.ts';
import type { ClientContext } from './context.ts';
import { alreadyClosed } from './faults.ts';
import type { HeldSegment } from './held-segment.ts';
import { SegmentList } from './segment-list.ts';
import { SharedTask } from './shared-task.ts';
import { checkAlignment, checkBytes, segmentBytesFor, widened } from './sizing.ts';
import type { StackMark } from './stack-mark.ts';
import type { BlockName, SharedPool } from './worker-pool.ts';

export interface PoolOptions {
  /** Size of a segment that is leased when there is no room; default: the pool's usual, or less where a budget is short. */
  readonly segmentBytes?: number;
  /** Touch a segment's pages when it is leased and not when they are first used. */
  readonly prefault?: boolean;
  /** Keep touched pages in memory (mlock). */
  readonly lock?: boolean;
}

export interface SegmentFigures {
  readonly id: string;
  readonly bytes: number;
  readonly liveBytes: number;
}

export class Pool implements AsyncDisposable {
  readonly name: string;
  readonly #context: ClientContext;
  readonly #options: {
    readonly segmentBytes: number | null;
    readonly prefault: boolean;
    readonly lock: boolean;
  };
  readonly #onClosed: (pool: Pool) => void;
  readonly #segments: SegmentList;
  readonly #home: BlockHome;
  #growth: SharedTask<void> | null = null;
  #closing: Promise<void> | null = null;

  /** Made by `client.pool()`. */
  constructor(
    name: string,
    options: PoolOptions,
    context: ClientContext,
    onClosed: (pool: Pool) => void = () => undefined,
  ) {
    this.name = name;
    this.#context = context;
    this.#onClosed = onClosed;
    this.#options = {
      segmentBytes: options.segmentBytes ?? null,
      prefault: options.prefault ?? false,
      lock: options.lock ?? false,
    };
    if (options.segmentBytes !== undefined) checkBytes('segmentBytes', options.segmentBytes);
    this.#segments = new SegmentList(name);
    this.#home = { pool: this, free: (segment, handle) => this.#free(segment, handle) };
  }

  /** Throws when other options are asked for than this pool has. */
  assertOptions(options: PoolOptions): void {
    for (const key of ['segmentBytes', 'prefault', 'lock'] as const) {
      const asked = options[key];
      if (asked === undefined || asked === this.#options[key]) continue;
      throw new NautilusError({
        code: 'invalid_request',
        message: `pool "${this.name}" is in use with ${key} ${this.#options[key]}, asked was ${asked}`,
      });
    }
  }

  /** A block, from a segment that is held or from one that is leased now. Callers at once share one lease. */
  async allocate(bytes: number, options: { alignment?: number; signal?: AbortSignal } = {}): Promise<Block> {
    const doing = `allocate ${bytes} bytes of pool "${this.name}"`;
    throwIfCancelled(doing, options.signal);
    for (;;) {
      const block = this.tryAllocate(bytes, options.alignment);
      if (block !== null) return block;
      await this.#grow(bytes, doing, options.signal);
    }
  }

  /** A block from the segments that are held already; null when none of them has room. */
  tryAllocate(bytes: number, alignment?: number): Block | null {
    this.#assertOpen();
    checkBytes('bytes', bytes);
    checkAlignment(alignment);
    const place = this.#segments.place(bytes, alignment);
    if (place === null) return null;
    this.#context.counters.allocations += 1;
    return new Block(this.#home, place.segment, place.handle, bytes);
  }

  /** Leases ahead: afterwards one block of that size, or smaller ones of that size together, need no lease. */
  async reserve(bytes: number, options: { signal?: AbortSignal } = {}): Promise<void> {
    const doing = `reserve ${bytes} bytes of pool "${this.name}"`;
    this.#assertOpen();
    checkBytes('bytes', bytes);
    throwIfCancelled(doing, options.signal);
    while (!this.#segments.hasRoom(bytes)) await this.#grow(bytes, doing, options.signal);
  }

  view(block: Block): Uint8Array {
    return this.#mine(block).view();
  }

  free(block: Block): void {
    this.#mine(block).free();
  }

  /** Stack pools: the state to which `rewind` returns. It spans segments. */
  mark(): StackMark {
    this.#assertOpen();
    return this.#segments.mark();
  }

  /** Stack pools: frees every block that was allocated since the mark. */
  rewind(mark: StackMark): void {
    this.#assertOpen();
    this.#context.counters.frees += this.#segments.rewind(mark);
    for (const segment of this.#segments.mapped) this.#unmapIfDone(segment);
  }

  /** Lets another container map the segment, or the block's whole segment, read-only. */
  async grant(target: Block | string, to: string, options: { signal?: AbortSignal } = {}): Promise<void> {
    const { segment } = this.#leased(target);
    const answer = await this.#context.control.grant(segment, to, options.signal);
    if (answer.writesSealed) return;
    const { reason } = answer;
    this.#context.log.info({ segment, to, reason }, 'client: granted without a seal against new writers');
  }

  /** Takes a grant back. A reader that maps the segment is told to let go. */
  async revoke(target: Block | string, from: string, options: { signal?: AbortSignal } = {}): Promise<void> {
    const { segment } = this.#leased(target);
    await this.#context.control.revoke(segment, from, options.signal);
  }

  /** For worker threads, which `attachPool` to the present segments. They end before the pool does. */
  share(): SharedPool {
    this.#assertOpen();
    return { pool: this.name, segments: this.#segments.leased.map((segment) => segment.share()) };
  }

  /** The block of a handle that a worker thread sent; its end is this thread's business now. */
  adopt(place: BlockName): Block {
    this.#assertOpen();
    const segment = this.#segmentOf(place.segment, this.#segments.mapped);
    return new Block(this.#home, segment, place.handle, segment.lengthOf(place.handle));
  }

  /** The segments that give blocks. */
  segments(): readonly SegmentFigures[] {
    return this.#segments.leased.map((segment) => ({
      id: segment.segment,
      bytes: segment.bytes,
      liveBytes: segment.liveBytes,
    }));
  }

  /** Releases segments without blocks, and free pages of the others. Answers the bytes that the agent has back. */
  async trim(options: { signal?: AbortSignal } = {}): Promise<number> {
    this.#assertOpen();
    const { control, releases } = this.#context;
    let releasedBytes = 0;
    // While NATS is away a segment is worth more here than unmapped and still leased.
    while (control.isConnected) {
      throwIfCancelled(`trim pool "${this.name}"`, options.signal);
      const empty = this.#segments.findEmpty();
      if (empty === null) break;
      this.#unmap(empty);
      const bytes = await releases.release(empty.segment);
      if (bytes === null) break;
      releasedBytes += bytes;
    }
    for (const segment of this.#segments.leased) segment.releasePages();
    return releasedBytes;
  }

  /** Bytes that are mapped, and how many segments they are: for the client's figures. */
  get mapped(): { readonly bytes: number; readonly segments: number } {
    const { mapped } = this.#segments;
    return { bytes: mapped.reduce((sum, segment) => sum + segment.bytes, 0), segments: mapped.length };
  }

  /** Ends all leases of the pool. Blocks that still live die with it: their views become empty. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#onClosed(this);
    await this.#growth?.abort(alreadyClosed(`pool "${this.name}"`));
    const { leased, mapped } = this.#segments;
    for (const segment of mapped) this.#unmap(segment);
    await Promise.all(leased.map((segment) => this.#context.releases.giveUp(segment.segment)));
  }

  /** One segment more, shared by all who wait for room now. */
  async #grow(bytes: number, doing: string, signal: AbortSignal | undefined): Promise<void> {
    this.#assertOpen();
    if (this.#growth === null || this.#growth.isOver)
      this.#growth = new SharedTask((shared) => this.#lease(bytes, shared));
    await this.#growth.join(doing, signal);
  }

  async #lease(blockBytes: number, signal: AbortSignal): Promise<void> {
    const { segmentBytes, prefault, lock } = this.#options;
    let wish: number | null = segmentBytesFor(blockBytes, segmentBytes);
    let usual = segmentBytes === null;
    while (wish !== null) {
      const choice = { pool: this.name, bytes: wish, usual, prefault, lock };
      const segment = await acquireSegment(this.#context, choice, signal);
      if (segment.largestFreeBytes >= blockBytes) {
        this.#adopt(segment);
        return;
      }
      this.#context.holdings.remove(segment);
      segment.close();
      await this.#context.releases.giveUp(segment.segment);
      wish = widened(wish);
      usual = false;
    }
    throw new NautilusError({
      code: 'does_not_fit',
      message: `pool "${this.name}": not even a new segment has room for one block of ${blockBytes} bytes`,
      details: { bytes: blockBytes, segmentBytes },
    });
  }

  #adopt(segment: HeldSegment): void {
    this.#segments.add(segment);
    segment.onEnd((reason) => this.#lose(segment, reason));
  }

  /** The lease is over and nobody here ended it: no new blocks, and mapped as long as old ones live. */
  #lose(segment: HeldSegment, reason: string): void {
    this.#context.holdings.remove(segment);
    this.#unmapIfDone(segment);
    this.#context.lost({ segment: segment.segment, reason });
  }

  #free(segment: HeldSegment, handle: number): void {
    segment.free(handle);
    this.#context.counters.frees += 1;
    this.#unmapIfDone(segment);
  }

  #unmapIfDone(segment: HeldSegment): void {
    if (segment.endKind === null || segment.isAttached || segment.liveBlocks > 0) return;
    this.#unmap(segment);
    // An agent that refused the segment does not know it; one that ended it waits for this.
    if (segment.endKind === 'ended') void this.#context.link.unmapped(segment.segment);
  }

  #unmap(segment: HeldSegment): void {
    this.#segments.remove(segment);
    this.#context.holdings.remove(segment);
    segment.close();
  }

  #leased(target: Block | string): HeldSegment {
    this.#assertOpen();
    if (target instanceof Block) this.#mine(target);
    return this.#segmentOf(typeof target === 'string' ? target : target.segment, this.#segments.leased);
  }

  #segmentOf(id: string, among: readonly HeldSegment[]): HeldSegment {
    const segment = among.find((candidate) => candidate.segment === id);
    if (segment !== undefined) return segment;
    const message = `segment ${id} is not held by pool "${this.name}"`;
    throw new NautilusError({ code: 'unknown_segment', message });
  }

  #mine(block: Block): Block {
    this.#assertOpen();
    if (block.pool === this) return block;
    throw new NautilusError({
      code: 'unknown_block',
      message: `the block belongs to pool "${block.pool.name}", not to "${this.name}"`,
    });
  }

  #assertOpen(): void {
    if (this.#closing !== null) throw alreadyClosed(`pool "${this.name}"`);
  }
}
