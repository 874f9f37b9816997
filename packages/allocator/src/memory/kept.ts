/**
 * Pools that the agent keeps for clients that speak NATS and nothing else: it allocates on their behalf, in files of
 * its private directory, and answers with places. Survives a restart, because every block is a line of the journal.
 */
import { existsSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type BlockPlace, fail, ok, type Result } from '@nautilus/contracts';
import {
  type Arena,
  createArena,
  createFileSegment,
  inspectDescriptor,
  openFileSegment,
  type StrategyName,
} from '@nautilus/native';
import { attempt } from './attempt.ts';
import type { JournalEntry } from './journal.ts';
import type { Lease } from './lease.ts';
import type { SegmentTable } from './table.ts';

/**
 * How blocks of a pool are placed when the agent keeps them, which must work at a given place after a restart; null:
 * not at all. A slab saves a search, which is nothing beside the message that each of these blocks costs.
 */
const keptStrategies: Record<StrategyName, StrategyName | null> = {
  slab: 'first_fit',
  first_fit: 'first_fit',
  best_fit: 'best_fit',
  buddy: null,
  stack: null,
};

interface KeptSegment {
  readonly lease: Lease;
  readonly arena: Arena;
  readonly blocks: Set<string>;
}

interface KeptBlock extends BlockPlace {
  readonly owner: KeptSegment;
  readonly handle: number;
}

export class KeptPools {
  readonly #table: SegmentTable;
  readonly #directory: string;
  readonly #ttlMs: number;
  readonly #mostBlocks: number;
  readonly #segments = new Map<string, KeptSegment>();
  /** By container, each in the order of their numbers. */
  readonly #blocks = new Map<string, Map<string, KeptBlock>>();
  #nextBlock = 1;

  constructor(table: SegmentTable, options: { directory: string; ttlMs: number; mostBlocks: number }) {
    this.#table = table;
    this.#directory = options.directory;
    this.#ttlMs = options.ttlMs;
    this.#mostBlocks = options.mostBlocks;
    table.onKeptEnd = (lease) => this.#forget(lease);
    table.keptEntries = () => this.#entries();
  }

  get segments(): number {
    return this.#segments.size;
  }

  allocate(
    container: string,
    pool: string,
    bytes: number,
    alignmentBytes: number | undefined,
  ): Result<BlockPlace> {
    const account = this.#table.accounts.pool(pool);
    if (!account.ok) return account;
    const { strategy } = account.value.pool;
    if (keptStrategies[strategy] === null) {
      return fail(
        'unsupported',
        `pool ${pool} is a ${strategy}; blocks kept by the agent need slab, first_fit or best_fit`,
      );
    }
    const own = this.#blocksOf(container);
    if (own.size >= this.#mostBlocks) {
      return fail(
        'over_budget',
        `container ${container} keeps ${own.size} blocks, the most it may (allocator.max_blocks_per_container); free some, or lease a segment and allocate inside it`,
        { scope: 'blocks', asked: 1, granted: own.size, available: 0, limit: this.#mostBlocks },
      );
    }
    const alignment = Math.max(this.#table.accounts.alignmentOf(pool), alignmentBytes ?? 1);
    for (const segment of this.#segments.values()) {
      if (segment.lease.container !== container || segment.lease.pool !== pool) continue;
      const handle = segment.arena.allocate(bytes, alignment);
      if (handle !== null) return this.#place(segment, handle, bytes);
    }
    const segment = this.#open(container, pool, bytes);
    if (!segment.ok) return segment;
    const handle = segment.value.arena.allocate(bytes, alignment);
    const { lease } = segment.value;
    const placed =
      handle === null
        ? fail(
            'does_not_fit',
            `${bytes} bytes aligned to ${alignment} do not fit a fresh segment of ${lease.bytes}`,
          )
        : this.#place(segment.value, handle, bytes);
    // Nothing is in it, so nothing would ever free it.
    if (!placed.ok) this.#table.end(lease, 'release');
    return placed;
  }

  free(container: string, block: string): Result<{ block: string; freedBytes: number }> {
    const found = this.#blocksOf(container).get(block);
    if (found === undefined) {
      return fail(
        'unknown_block',
        `container ${container} has no kept block ${block}: never allocated, or already freed`,
        { block },
      );
    }
    const written = this.#table.journal.append({ op: 'unblock', block });
    if (!written.ok) return written;
    found.owner.arena.free(found.handle);
    found.owner.blocks.delete(block);
    this.#blocksOf(container).delete(block);
    if (found.owner.blocks.size === 0) this.#table.end(found.owner.lease, 'release');
    else this.#sign(found.owner);
    return ok({ block, freedBytes: found.length });
  }

  describe(
    container: string,
    after: string | undefined,
    most: number,
  ): { blocks: BlockPlace[]; truncated: boolean } {
    const blocks: BlockPlace[] = [];
    const from = after === undefined ? 0 : numberOf(after);
    let truncated = false;
    for (const { block, segment, offset, length } of this.#blocksOf(container).values()) {
      if (numberOf(block) <= from) continue;
      truncated = blocks.length === most;
      if (truncated) break;
      blocks.push({ block, segment, offset, length });
    }
    for (const segment of this.#segments.values())
      if (segment.lease.container === container) this.#sign(segment);
    return { blocks, truncated };
  }

  liveBytesOf(lease: Lease): number | null {
    return this.#segments.get(lease.segment)?.arena.stats().liveBytes ?? null;
  }

  /** Rebuilds a kept segment after a restart; a missing file ends its lease. */
  restore(lease: Lease, blocks: readonly BlockPlace[]): Result<null> {
    const path = this.#path(lease.segment);
    if (!existsSync(path))
      return fail('unknown_segment', `the file of kept segment ${lease.segment} is gone`);
    const opened = attempt(() => openFileSegment({ path, writable: true }));
    if (!opened.ok) return opened;
    const offsets = blocks.map(({ offset }) => offset);
    const adopted = attempt(() => this.#adopt(lease, opened.value, offsets));
    if (!adopted.ok) return adopted;
    const segment = adopted.value;
    for (const place of blocks) {
      const handle = segment.arena.allocateAt(place.offset, place.length);
      if (handle === null)
        return fail('internal', `block ${place.block} overlaps another in ${lease.segment}`);
      segment.blocks.add(place.block);
      this.#blocksOf(lease.container).set(place.block, { ...place, owner: segment, handle });
    }
    return ok(null);
  }

  continueNumbering(next: number): void {
    this.#nextBlock = Math.max(this.#nextBlock, next);
  }

  #open(container: string, pool: string, bytes: number): Result<KeptSegment> {
    const request = { container, pool, ttlMs: this.#ttlMs, mode: 'kept' as const };
    const lease = this.#table.beginUsual({ ...request, bytes });
    if (!lease.ok) return lease;
    const { segment, bytes: leased } = lease.value;
    const made = attempt(() => createFileSegment({ path: this.#path(segment), bytes: leased }));
    if (!made.ok) {
      this.#table.end(lease.value, 'release');
      return made;
    }
    const adopted = attempt(() => this.#adopt(lease.value, made.value, []));
    if (!adopted.ok) this.#table.end(lease.value, 'release');
    return adopted;
  }

  /** Blocks of before a change of the configuration may lie at a smaller alignment than it says now. */
  #adopt(
    lease: Lease,
    descriptor: NonNullable<Lease['descriptor']>,
    offsets: readonly number[],
  ): KeptSegment {
    const { device, inode } = inspectDescriptor(descriptor);
    this.#table.keepDescriptor(lease, descriptor);
    // The ledger is the arena's own: what survives a restart is the journal.
    lease.identity = { device, inode, ledger: 0 };
    let minimumAlignment = this.#table.accounts.alignmentOf(lease.pool);
    while (offsets.some((offset) => offset % minimumAlignment !== 0)) minimumAlignment /= 2;
    const configured = this.#table.accounts.pools.get(lease.pool)?.pool.strategy ?? 'first_fit';
    const strategy = keptStrategies[configured] ?? 'first_fit';
    const segment = {
      lease,
      arena: createArena({ strategy, bytes: lease.bytes, minimumAlignment }),
      blocks: new Set<string>(),
    };
    this.#segments.set(lease.segment, segment);
    return segment;
  }

  #place(segment: KeptSegment, handle: number, length: number): Result<BlockPlace> {
    const block = `b-${this.#nextBlock.toString(36)}`;
    const place = { block, segment: segment.lease.segment, offset: segment.arena.offsetOf(handle), length };
    const written = this.#table.journal.append({ op: 'block', ...place });
    if (!written.ok) {
      segment.arena.free(handle);
      return written;
    }
    this.#nextBlock += 1;
    this.#table.counters.allocations += 1;
    segment.blocks.add(block);
    this.#blocksOf(segment.lease.container).set(block, { ...place, owner: segment, handle });
    this.#sign(segment);
    return ok(place);
  }

  /** A request is the sign of life of a client without a socket. */
  #sign(segment: KeptSegment): void {
    this.#table.extend(segment.lease, this.#ttlMs);
  }

  #forget(lease: Lease): void {
    const segment = this.#segments.get(lease.segment);
    if (segment === undefined) return;
    const own = this.#blocksOf(lease.container);
    for (const block of segment.blocks) own.delete(block);
    segment.arena.close();
    this.#segments.delete(lease.segment);
    const path = this.#path(lease.segment);
    if (existsSync(path)) unlinkSync(path);
  }

  #entries(): JournalEntry[] {
    const blocks = [...this.#blocks.values()]
      .flatMap((own) => [...own.values()])
      .map(({ block, segment, offset, length }) => ({
        op: 'block' as const,
        block,
        segment,
        offset,
        length,
      }));
    return [{ op: 'blockCounter', next: this.#nextBlock }, ...blocks];
  }

  #blocksOf(container: string): Map<string, KeptBlock> {
    const found = this.#blocks.get(container) ?? new Map<string, KeptBlock>();
    this.#blocks.set(container, found);
    return found;
  }

  #path(segment: string): string {
    return join(this.#directory, segment);
  }
}

/** `b-z` → 35. */
function numberOf(block: string): number {
  return Number.parseInt(block.slice(2), 36);
}
