/**
 * A leased segment, mapped read-write, with the arena that cuts it into blocks. The arena's figures live in the ledger
 * page beside it, which the agent reads. It outlives its lease while blocks live: no view is torn away.
 */
import { NautilusError, type SocketReply } from '@nautilus/contracts';
import {
  type Arena,
  createArena,
  type Descriptor,
  type Mapping,
  mapSegment,
  type SharedArena,
  type StrategyName,
  strategies,
} from '@nautilus/native';
import { alreadyClosed, toNautilusError, translated } from './faults.ts';
import type { EndKind, Holding } from './holdings.ts';

type SegmentReply = Extract<SocketReply, { type: 'segment' }>;

export interface MapChoice {
  /** Touch every page of a segment when it is leased. */
  readonly prefault: boolean;
  /** Keep touched pages in memory. */
  readonly lock: boolean;
}

/** Plain data: a message to a worker thread may carry it. */
export interface SharedSegment {
  readonly segment: string;
  readonly payloadFd: number;
  readonly ledgerFd: number;
  readonly arena: SharedArena;
}

interface Parts {
  readonly payload: Descriptor;
  readonly ledger: Descriptor;
  readonly mapping: Mapping;
  readonly ledgerMapping: Mapping;
  readonly arena: Arena;
}

export class HeldSegment implements Holding {
  readonly access = 'read-write';
  readonly segment: string;
  readonly bytes: number;
  readonly alignmentBytes: number;
  readonly strategy: StrategyName;
  readonly secret: string;
  /** Why the kernel did not keep the pages in memory, when that was asked for. */
  readonly lockReason: string | null;
  readonly #parts: Parts;
  readonly #bottom: number | null;
  #liveBlocks = 0;
  #isShared = false;
  #isClosed = false;
  #onEnd: ((reason: string) => void) | null = null;
  #ended: { readonly reason: string; readonly kind: EndKind } | null = null;

  private constructor(reply: SegmentReply, strategy: StrategyName, parts: Parts) {
    this.segment = reply.segment;
    this.bytes = reply.bytes;
    this.alignmentBytes = reply.alignmentBytes;
    this.strategy = strategy;
    this.secret = reply.secret;
    this.lockReason = parts.mapping.lockReason;
    this.#parts = parts;
    this.#bottom = strategy === 'stack' ? parts.arena.mark() : null;
  }

  /** Takes the descriptors over: they are closed with the segment, or now when it cannot be mapped. */
  static map(reply: SegmentReply, descriptors: readonly Descriptor[], choice: MapChoice): HeldSegment {
    const opened: { close(): void }[] = [...descriptors];
    try {
      const [payload, ledger] = descriptors;
      if (payload === undefined || ledger === undefined) throw unusable(reply, 'it came without a ledger');
      if (!isStrategy(reply.strategy)) throw unknownStrategy(reply);
      const mapping = mapSegment(payload, { access: 'read-write', ...choice });
      opened.push(mapping);
      if (mapping.bytes < reply.bytes)
        throw unusable(reply, `it has ${mapping.bytes} bytes, announced were ${reply.bytes}`);
      const ledgerMapping = mapSegment(ledger, { access: 'read-write' });
      opened.push(ledgerMapping);
      const arena = createArena({
        strategy: reply.strategy,
        bytes: reply.bytes,
        minimumAlignment: reply.alignmentBytes,
        ledger: ledgerMapping,
        magazines: true,
      });
      return new HeldSegment(reply, reply.strategy, { payload, ledger, mapping, ledgerMapping, arena });
    } catch (error) {
      for (const part of opened.reverse()) part.close();
      throw toNautilusError(error, `mapping segment ${reply.segment}`);
    }
  }

  get liveBlocks(): number {
    if (!this.#isShared || this.#isClosed) return this.#liveBlocks;
    // Worker threads allocate here too; all of them count in the ledger.
    return this.#parts.arena.figures().liveBlocks;
  }

  get liveBytes(): number {
    return this.#isClosed ? 0 : this.#parts.arena.figures().liveBytes;
  }

  get largestFreeBytes(): number {
    return this.#isClosed ? 0 : this.#parts.arena.largestFreeBytes;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** How the lease ended; null while it stands. */
  get endKind(): EndKind | null {
    return this.#ended?.kind ?? null;
  }

  /** Free pages go back to the system; the lease stays as large as it is. Answers why not all of them could; null: all did. */
  releasePages(): string | null {
    this.#assertOpen();
    const { arena, mapping, payload } = this.#parts;
    return translated(`trimming segment ${this.segment}`, () => arena.trim(mapping, payload).reason);
  }

  /** Worker threads have it mapped: it stays until they let go. */
  get isAttached(): boolean {
    return this.#isShared && !this.#isClosed && this.#parts.arena.threads > 1;
  }

  /** What a worker thread needs to map it by itself; the descriptors stay this thread's. */
  share(): SharedSegment {
    this.#assertOpen();
    const { arena, payload, ledger } = this.#parts;
    this.#isShared = true;
    return { segment: this.segment, payloadFd: payload.fd, ledgerFd: ledger.fd, arena: arena.share() };
  }

  descriptors(): readonly Descriptor[] {
    return [this.#parts.payload, this.#parts.ledger];
  }

  /** The pool's; an end that came before the pool took the segment is told at once. */
  onEnd(callback: (reason: string) => void): void {
    this.#onEnd = callback;
    if (this.#ended !== null) callback(this.#ended.reason);
  }

  end(reason: string, kind: EndKind): void {
    if (this.#ended !== null) return;
    this.#ended = { reason, kind };
    this.#onEnd?.(reason);
  }

  // The next four are what a container does all day: they make no closure.

  /** The handle of a new block, which knows when it is stale; null when nothing fits. */
  allocate(bytes: number, alignment: number | undefined): number | null {
    try {
      const handle = this.#parts.arena.allocate(bytes, alignment);
      if (handle !== null) this.#liveBlocks += 1;
      return handle;
    } catch (error) {
      throw toNautilusError(error, 'allocate');
    }
  }

  offsetOf(handle: number): number {
    try {
      return this.#parts.arena.offsetOf(handle);
    } catch (error) {
      throw toNautilusError(error, `segment ${this.segment}`);
    }
  }

  lengthOf(handle: number): number {
    this.#assertOpen();
    return translated(`segment ${this.segment}`, () => this.#parts.arena.lengthOf(handle));
  }

  free(handle: number): void {
    this.#assertOpen();
    try {
      this.#parts.arena.free(handle);
    } catch (error) {
      throw toNautilusError(error, 'free');
    }
    this.#liveBlocks -= 1;
  }

  view(offset: number, length: number): Uint8Array {
    this.#assertOpen();
    try {
      return this.#parts.mapping.view(offset, length);
    } catch (error) {
      throw toNautilusError(error, `segment ${this.segment}`);
    }
  }

  isLive(handle: number): boolean {
    this.#assertOpen();
    return this.#parts.arena.isLive(handle);
  }

  /** Stack only. */
  mark(): number {
    return translated('mark', () => this.#parts.arena.mark());
  }

  /** Stack only; null rewinds to the empty segment. Answers how many blocks were freed. */
  rewind(mark: number | null): number {
    const { arena } = this.#parts;
    const before = this.liveBlocks;
    translated('rewind', () => arena.rewind(mark ?? this.#bottom ?? 0));
    this.#liveBlocks = arena.figures().liveBlocks;
    return before - this.#liveBlocks;
  }

  /** Views become empty, then the memory is unmapped. Twice is the same as once. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { arena, mapping, ledgerMapping, payload, ledger } = this.#parts;
    for (const part of [arena, mapping, ledgerMapping, payload, ledger]) part.close();
  }

  #assertOpen(): void {
    if (this.#isClosed) throw alreadyClosed(`segment ${this.segment}`);
  }
}

function isStrategy(name: string): name is StrategyName {
  return Object.hasOwn(strategies, name);
}

function unknownStrategy(reply: SegmentReply): NautilusError {
  const known = Object.keys(strategies).join(', ');
  return new NautilusError({
    code: 'unsupported',
    message: `pool "${reply.pool}" uses the strategy "${reply.strategy}"; this build has ${known}`,
  });
}

function unusable(reply: SegmentReply, why: string): NautilusError {
  const message = `segment ${reply.segment} of the agent is unusable: ${why}`;
  return new NautilusError({ code: 'protocol_violation', message });
}
