/**
 * The one place where leases begin and end. Every change goes accounts → journal → memory, so that a killed agent
 * finds in its journal at least what it had promised. What others must hear of it goes out through `MemoryEvents`.
 */
import { type AgentSample, fail, type LeaseEndReason, ok, type Result } from '@nautilus/contracts';
import type { Descriptor } from '@nautilus/native';
import type { Accounts } from '../accounts/accounts.ts';
import type { Journal, JournalEntry } from './journal.ts';
import { isExpired, isUnmapped, type Lease, newLease } from './lease.ts';
import { allocationsOf, saturated } from './ledger-figures.ts';
import { leaseEntry, presentEntries } from './present.ts';

export interface MemoryEvents {
  leased(lease: Lease): void;
  ended(lease: Lease, reason: LeaseEndReason, lingeringBytes: number): void;
  granted(lease: Lease, to: string): void;
  /** A session maps a segment that is over; it shall let go. */
  letGo(session: number, segment: string, reason: string): void;
}

export interface TableOptions {
  readonly accounts: Accounts;
  readonly journal: Journal;
  readonly events: MemoryEvents;
  readonly now: () => number;
  readonly newSegmentId: () => string;
  readonly pageBytes: number;
  readonly maximumLeasesPerContainer: number;
}

export interface LeaseRequest {
  readonly container: string;
  readonly pool: string;
  readonly bytes: number;
  readonly ttlMs: number;
  readonly mode: 'mapped' | 'kept';
}

export class SegmentTable {
  readonly leases = new Map<string, Lease>();
  readonly accounts: Accounts;
  readonly journal: Journal;
  readonly now: () => number;
  readonly counters: AgentSample['counters'] = {
    leases: 0,
    refusals: 0,
    expiries: 0,
    holderDeaths: 0,
    allocations: 0,
    zeroCopyOperations: { lease: 0, grant: 0 },
    bytesShared: 0,
    bytesCopied: 0,
    protocolViolations: 0,
  };
  readonly #options: TableOptions;
  readonly #descriptors = new Map<string, number>();
  /** Called when a kept segment ends, so that its file and blocks go with it. */
  onKeptEnd: (lease: Lease) => void = () => {};
  /** Lines that describe kept blocks, for compaction. */
  keptEntries: () => JournalEntry[] = () => [];
  budgetEpoch = 0;

  constructor(options: TableOptions) {
    this.#options = options;
    this.accounts = options.accounts;
    this.journal = options.journal;
    this.now = options.now;
  }

  /** At least `bytes`, and the pool's usual segment where every budget has room for it: fewer leases, less to do. */
  beginUsual(request: LeaseRequest): Result<Lease> {
    const usual = this.accounts.pools.get(request.pool)?.pool.segmentBytes ?? 0;
    if (usual > request.bytes && this.accounts.wouldFit({ ...request, bytes: usual })) {
      return this.begin({ ...request, bytes: usual });
    }
    return this.begin(request);
  }

  begin(request: LeaseRequest): Result<Lease> {
    const bytes = Math.ceil(request.bytes / this.#options.pageBytes) * this.#options.pageBytes;
    const claim = { container: request.container, pool: request.pool, bytes };
    const admitted = this.accounts.admit(claim);
    if (!admitted.ok) {
      this.counters.refusals += 1;
      return admitted;
    }
    const held = this.accounts.containers.get(request.container)?.leases ?? 0;
    const most = this.#options.maximumLeasesPerContainer;
    if (held >= most) {
      this.counters.refusals += 1;
      return fail(
        'over_budget',
        `container ${request.container} holds ${held} leases, the most it may (allocator.max_leases_per_container); use larger segments`,
        { scope: 'leases', asked: 1, granted: held, available: 0, limit: most },
      );
    }
    const lease = newLease({
      ...request,
      bytes,
      segment: this.#options.newSegmentId(),
      leasedAt: this.now(),
    });
    const written = this.journal.append(leaseEntry(lease));
    if (!written.ok) return written;
    this.adopt(lease);
    this.counters.leases += 1;
    this.#options.events.leased(lease);
    this.#compactWhenLong();
    return ok(lease);
  }

  /** Takes a lease into the books without announcing it: a new one, or one found in the journal. */
  adopt(lease: Lease): void {
    this.leases.set(lease.segment, lease);
    this.accounts.add(lease);
    if (lease.state === 'lingering') this.accounts.end(lease, true);
  }

  /** The lease of `segment` if `container` owns it. Another's segment looks like none: existence is not disclosed. */
  owned(segment: string, container: string): Result<Lease> {
    const lease = this.leases.get(segment);
    if (lease === undefined || lease.container !== container) {
      return fail('unknown_segment', `container ${container} leases no segment ${segment}`, { segment });
    }
    if (lease.state === 'lingering') {
      return fail(
        'already_released',
        `the lease of ${segment} ended (${lease.endedBecause}); only readers still map it`,
        { segment },
      );
    }
    return ok(lease);
  }

  extend(lease: Lease, ttlMs: number): void {
    lease.ttlMs = ttlMs;
    lease.expiresAt = this.now() + ttlMs;
  }

  end(lease: Lease, reason: LeaseEndReason): { releasedBytes: number; lingeringBytes: number } {
    if (lease.state === 'lingering') return { releasedBytes: 0, lingeringBytes: lease.bytes };
    const lingers = !isUnmapped(lease);
    // A lost line only means that a restarted agent waits for somebody who will not come.
    this.journal.append({ op: lingers ? 'linger' : 'end', segment: lease.segment });
    lease.endedBecause = reason;
    lease.state = 'lingering';
    this.accounts.end(lease, lingers);
    if (reason === 'expiry') this.counters.expiries += 1;
    if (reason === 'holder-closed') this.counters.holderDeaths += 1;
    if (lease.ledger !== null) {
      this.counters.allocations = saturated(this.counters.allocations + allocationsOf(lease));
      lease.ledger.close();
      lease.ledger = null;
    }
    this.dropDescriptors(lease);
    if (lease.mode === 'kept') this.onKeptEnd(lease);
    const lingeringBytes = lingers ? lease.bytes : 0;
    if (!lingers) this.leases.delete(lease.segment);
    for (const session of [...lease.holders, ...lease.readers.keys()]) {
      this.#options.events.letGo(session, lease.segment, reason);
    }
    this.#options.events.ended(lease, reason, lingeringBytes);
    this.#compactWhenLong();
    return { releasedBytes: lease.bytes - lingeringBytes, lingeringBytes };
  }

  /** A container is gone: what it leased and holds on no socket is over. */
  endUnheld(container: string): void {
    for (const lease of [...this.leases.values()]) {
      if (lease.container === container && lease.holders.size === 0) this.end(lease, 'container-ended');
    }
  }

  /** A reader's session no longer maps the segment. */
  readerLeft(lease: Lease, session: number): void {
    lease.readers.delete(session);
    this.settle(lease);
  }

  /** An owner's session unmapped the segment in order: the lease lives on by its time, until it is released. */
  holderUnmapped(lease: Lease, session: number): void {
    if (!lease.holders.delete(session) || lease.holders.size > 0) return;
    if (lease.state === 'lingering') this.settle(lease);
    else {
      lease.state = 'leased';
      this.extend(lease, lease.ttlMs);
    }
  }

  /**
   * An owner's socket closed; without another holder the lease is over at once. A kept segment is the agent's own and
   * goes back to living by its time.
   */
  holderLeft(lease: Lease, session: number): void {
    if (lease.mode === 'kept' || lease.state === 'lingering') {
      this.holderUnmapped(lease, session);
      return;
    }
    if (lease.holders.delete(session) && lease.holders.size === 0) this.end(lease, 'holder-closed');
  }

  /** Gives the bytes of an ended lease back once nobody maps it. */
  settle(lease: Lease): void {
    if (lease.state !== 'lingering' || !isUnmapped(lease) || !this.leases.delete(lease.segment)) return;
    this.accounts.settle(lease);
    this.journal.append({ op: 'end', segment: lease.segment });
  }

  /** What nobody handed back within the grace after a restart. */
  endOfGrace(): void {
    for (const lease of [...this.leases.values()]) {
      if (lease.state === 'returning') this.end(lease, 'not-returned');
      else this.settle(lease);
    }
  }

  /** Descriptors that the agent keeps open for a container: payloads and wakes. */
  descriptorsOf(container: string): number {
    return this.#descriptors.get(container) ?? 0;
  }

  keepDescriptor(lease: Lease, descriptor: Descriptor): void {
    if (lease.descriptor !== null) return;
    lease.descriptor = descriptor;
    this.#count(lease, 1);
  }

  keepWake(lease: Lease, wake: Descriptor): void {
    lease.wake = wake;
    this.#count(lease, 1);
  }

  /** Of the payload and of what wakes its owner. */
  dropDescriptors(lease: Lease): void {
    for (const descriptor of [lease.descriptor, lease.wake]) {
      if (descriptor === null) continue;
      descriptor.close();
      this.#count(lease, -1);
    }
    lease.descriptor = null;
    lease.wake = null;
  }

  #count(lease: Lease, more: number): void {
    this.#descriptors.set(lease.container, this.descriptorsOf(lease.container) + more);
  }

  expired(): Lease[] {
    const now = this.now();
    return [...this.leases.values()].filter((lease) => isExpired(lease, now));
  }

  grant(lease: Lease, to: string): Result<null> {
    if (lease.grants.has(to)) return ok(null);
    const written = this.journal.append({ op: 'grant', segment: lease.segment, to });
    if (!written.ok) return written;
    lease.grants.add(to);
    this.#options.events.granted(lease, to);
    return ok(null);
  }

  /** True while sessions of that container still map it: they were told to let go. */
  revoke(lease: Lease, from: string): Result<boolean> {
    if (!lease.grants.has(from)) {
      return fail('permission_denied', `${from} has no grant of ${lease.segment}`, {
        segment: lease.segment,
      });
    }
    const written = this.journal.append({ op: 'revoke', segment: lease.segment, from });
    if (!written.ok) return written;
    lease.grants.delete(from);
    let stillMapped = false;
    for (const [session, container] of lease.readers) {
      if (container !== from) continue;
      stillMapped = true;
      this.#options.events.letGo(session, lease.segment, 'grant revoked');
    }
    return ok(stillMapped);
  }

  compact(): Result<null> {
    return this.journal.compact([...presentEntries(this), ...this.keptEntries()]);
  }

  #compactWhenLong(): void {
    if (this.journal.wantsCompaction) this.compact();
  }
}
