/**
 * A host without an agent, a broker or shared memory: segments are ArrayBuffers, blocks are cut one behind the other.
 * Enough to run the containers, and to refuse, end and lose things on purpose.
 */
import { type Loss, NautilusError } from '@nautilus/client';
import type { AlertBody } from '@nautilus/contracts';
import type { Memory, MemoryPool, Platform, SharedMemory } from '../library/platform.ts';

type ReleaseHandler = Parameters<Platform['onRelease']>[0];
type Segments = Awaited<ReturnType<Platform['describe']>>['segments'];

interface FakeSegment {
  readonly id: string;
  readonly owner: string;
  readonly pool: string;
  readonly buffer: ArrayBuffer;
  readonly grants: Set<string>;
  readonly ends: Set<(reason: string) => void>;
  used: number;
  live: number;
  isOver: boolean;
}

export class FakeHost {
  readonly segments: FakeSegment[] = [];
  readonly pools: ReadonlySet<string>;
  /** Containers whose grants are refused. */
  readonly notYetKnown = new Set<string>();
  budgetBytes: number;

  constructor(pools: readonly string[], budgetBytes = 2 ** 30) {
    this.pools = new Set(pools);
    this.budgetBytes = budgetBytes;
  }

  client(container: string): FakeClient {
    return new FakeClient(this, container);
  }

  end(id: string, reason: string): void {
    const segment = this.segments.find((candidate) => candidate.id === id);
    if (segment === undefined) return;
    segment.isOver = true;
    for (const tell of segment.ends) tell(reason);
  }

  lease(owner: string, pool: string, bytes: number): FakeSegment {
    if (!this.pools.has(pool)) throw new NautilusError({ code: 'unknown_pool', message: `no pool ${pool}` });
    const granted = this.segments
      .filter((segment) => segment.owner === owner && !segment.isOver)
      .reduce((sum, segment) => sum + segment.buffer.byteLength, 0);
    const available = this.budgetBytes - granted;
    if (bytes > available)
      throw new NautilusError({
        code: 'over_budget',
        message: `asked ${bytes}, available ${available}`,
        details: { asked: bytes, granted, available, scope: 'container' },
      });
    const id = `s-${String(this.segments.length).padStart(8, '0')}`;
    const segment: FakeSegment = {
      id,
      owner,
      pool,
      buffer: new ArrayBuffer(bytes),
      grants: new Set(),
      ends: new Set(),
      used: 0,
      live: 0,
      isOver: false,
    };
    this.segments.push(segment);
    return segment;
  }
}

export class FakeClient implements Platform {
  readonly #host: FakeHost;
  readonly #container: string;
  readonly #losses = new Set<(loss: Loss) => void>();
  readonly #pressure = new Set<(alert: AlertBody) => void>();
  readonly #releases = new Set<ReleaseHandler>();
  #open = 0;
  readonly counted = { allocations: 0, frees: 0 };

  constructor(host: FakeHost, container: string) {
    this.#host = host;
    this.#container = container;
  }

  pool(name: string, options: { segmentBytes?: number } = {}): FakePool {
    return new FakePool(this.#host, this, { container: this.#container, name, ...options });
  }

  async describe() {
    const visible = this.#host.segments.filter((segment) => !segment.isOver);
    const segments: Segments = visible
      .filter(({ owner, grants }) => owner === this.#container || grants.has(this.#container))
      .map(({ id, pool, owner, buffer, live, grants }, index) => ({
        segment: id,
        pool,
        region: 'unified-main',
        owner,
        access: owner === this.#container ? 'read-write' : 'read-only',
        mode: 'mapped',
        state: 'mapped',
        bytes: buffer.byteLength,
        liveBytes: live,
        leasedAt: index,
        expiresAt: null,
        grants: [...grants],
      }));
    const { budgetBytes } = this.#host;
    return { container: this.#container, budgetBytes, leasedBytes: 0, segments, truncated: false };
  }

  async open(id: string): Promise<SharedMemory> {
    const segment = this.#host.segments.find((candidate) => candidate.id === id);
    if (segment === undefined || segment.isOver)
      throw new NautilusError({ code: 'unknown_segment', message: `no segment ${id}` });
    this.#open += 1;
    return {
      segment: id,
      owner: segment.owner,
      bytes: segment.buffer.byteLength,
      copied: false,
      get ended() {
        return segment.isOver;
      },
      onEnd: (callback) => {
        segment.ends.add(callback);
        return () => segment.ends.delete(callback);
      },
      view: (offset, length) => new Uint8Array(segment.buffer, offset, length),
      close: async () => {
        this.#open -= 1;
      },
    };
  }

  onLost(handler: (loss: Loss) => void): () => void {
    this.#losses.add(handler);
    return () => this.#losses.delete(handler);
  }

  onPressure(handler: (alert: AlertBody) => void): () => void {
    this.#pressure.add(handler);
    return () => this.#pressure.delete(handler);
  }

  onRelease(handler: ReleaseHandler): () => void {
    this.#releases.add(handler);
    return () => this.#releases.delete(handler);
  }

  stats() {
    const held = this.#host.segments.filter(
      (segment) => segment.owner === this.#container && !segment.isOver,
    );
    return {
      bytesShared: held.reduce((sum, segment) => sum + segment.buffer.byteLength, 0),
      bytesCopied: 0 as const,
      segmentsHeld: held.length,
      segmentsOpen: this.#open,
      reconnects: 0,
      framesPublished: 0,
      framesTaken: 0,
      ...this.counted,
    };
  }

  /** What the agent does. */
  lose(segment: string): void {
    this.#host.end(segment, 'expiry');
    for (const handler of this.#losses) handler({ segment, reason: 'expiry' });
  }

  alert(alert: AlertBody): void {
    for (const handler of this.#pressure) handler(alert);
  }

  async askForMemory(degree: 'trim' | 'shrink' | 'collect' | 'everything'): Promise<number> {
    const request = { degree, bytes: 1, reason: 'test', signal: new AbortController().signal };
    const released = await Promise.all([...this.#releases].map((handler) => handler(request)));
    return released.reduce((sum, bytes) => sum + bytes, 0);
  }
}

interface FakePoolOptions {
  readonly container: string;
  readonly name: string;
  readonly segmentBytes?: number;
}

class FakePool implements MemoryPool {
  readonly #host: FakeHost;
  readonly #client: FakeClient;
  readonly #options: FakePoolOptions;
  readonly #stack: FakeBlock[] = [];

  constructor(host: FakeHost, client: FakeClient, options: FakePoolOptions) {
    this.#host = host;
    this.#client = client;
    this.#options = options;
  }

  async allocate(bytes: number): Promise<Memory> {
    const block = this.tryAllocate(bytes);
    if (block !== null) return block;
    const { container, name, segmentBytes = 1024 ** 2 } = this.#options;
    return this.#cut(this.#host.lease(container, name, Math.max(bytes, segmentBytes)), bytes);
  }

  tryAllocate(bytes: number): Memory | null {
    const segment = this.#mine().find(({ buffer, used }) => used + bytes <= buffer.byteLength);
    return segment === undefined ? null : this.#cut(segment, bytes);
  }

  async reserve(bytes: number): Promise<void> {
    const { container, name, segmentBytes = 1024 ** 2 } = this.#options;
    this.#host.lease(container, name, Math.max(bytes, segmentBytes));
  }

  mark() {
    return {
      pool: this.#options.name,
      segment: 0,
      position: this.#stack.filter(({ isLive }) => isLive).length,
    };
  }

  rewind(mark: { readonly position: number }): void {
    for (const block of this.#stack.filter(({ isLive }) => isLive).slice(mark.position)) block.free();
  }

  async trim(): Promise<number> {
    const empty = this.#mine().filter(({ live }) => live === 0);
    for (const segment of empty) segment.isOver = true;
    return empty.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
  }

  async grant(id: string, to: string): Promise<void> {
    if (this.#host.notYetKnown.has(to))
      throw new NautilusError({ code: 'unknown_container', message: `no container ${to}` });
    this.#mine()
      .find((segment) => segment.id === id)
      ?.grants.add(to);
  }

  #mine(): FakeSegment[] {
    const { container, name } = this.#options;
    return this.#host.segments.filter(
      ({ owner, pool, isOver }) => owner === container && pool === name && !isOver,
    );
  }

  #cut(segment: FakeSegment, bytes: number): FakeBlock {
    const block = new FakeBlock(segment, bytes, this.#client);
    this.#stack.push(block);
    return block;
  }
}

class FakeBlock implements Memory {
  readonly segment: string;
  readonly offset: number;
  readonly length: number;
  isLive = true;
  readonly #home: FakeSegment;
  readonly #client: FakeClient;

  constructor(home: FakeSegment, bytes: number, client: FakeClient) {
    this.segment = home.id;
    this.offset = home.used;
    this.length = bytes;
    this.#home = home;
    this.#client = client;
    // Views of words need it.
    home.used += Math.ceil(bytes / 64) * 64;
    home.live += 1;
    client.counted.allocations += 1;
  }

  view(): Uint8Array {
    return new Uint8Array(this.#home.buffer, this.offset, this.length);
  }

  free(): void {
    if (!this.isLive) throw new NautilusError({ code: 'unknown_block', message: 'freed before' });
    this.isLive = false;
    this.#home.live -= 1;
    if (this.#home.live === 0) this.#home.used = 0;
    this.#client.counted.frees += 1;
  }
}
