/**
 * One leader at a time: a key in a bucket with a time to live, taken by create and renewed by update. The bucket's
 * age and the revision at which it was taken make the fencing epoch that every command of this leader carries; the
 * local deadline only keeps a leader from working on in vain, the epoch is what protects the followers (M16).
 */
import { type Bucket, buckets, type leaderRecord, NautilusError } from '@nautilus/contracts';
import { type Clock, pause } from './clock.ts';
import type { Link } from './link.ts';
import type { BusLog } from './log.ts';
import type { OutputOf } from './schema.ts';
import { openStore, type Store } from './store.ts';

export interface LeaderLeaseOptions {
  service: string;
  /** Unique to this instance: the same holder twice would take each other's lease for its own. */
  holder: string;
  log?: BusLog;
  clock?: Clock;
  /** The `lease` bucket of the contracts; its time to live is the lease's. */
  bucket?: Bucket;
}

export interface LeaderLease {
  readonly epoch: number | null;
  /** False as soon as the local, monotonic deadline has passed, whether or not the server was heard. */
  readonly leading: boolean;
  /** Campaigns, works while leading, and campaigns again, until the signal aborts. */
  run(work: (epoch: number, signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void>;
  /** Gives leadership up now, so that another takes it within one poll. */
  release(): Promise<void>;
}

type LeaderRecord = OutputOf<typeof leaderRecord>;

/**
 * Revisions begin at 1 again when a server lost its store, and followers that remember a larger epoch would refuse every
 * leader from then on. The second in which the bucket was made goes in front: 31 bits before 22, below 2^53. A bucket
 * would need 4 million writes in one second of its life to overtake its successor.
 */
const revisionSpan = 2 ** 22;

export function fencingEpoch(bucketMadeAtSeconds: number, revision: number): number {
  return bucketMadeAtSeconds * revisionSpan + revision;
}

const defaultTtlMs = 5_000;
/** Part of the time to live by which the leader stops earlier than the server forgets it. */
const margin = 0.1;
const pollMs = { shortest: 250, longest: 500 } as const;

interface Held {
  readonly epoch: number;
  readonly record: LeaderRecord;
  revision: number;
  /** Monotonic. */
  deadline: number;
  readonly lost: AbortController;
  /** Ends soon after `lost` is aborted; until then the revision may still change. */
  renewing: Promise<void>;
}

export class KvLeaderLease implements LeaderLease {
  readonly #link: Link;
  readonly #service: string;
  readonly #holder: string;
  readonly #bucket: Bucket;
  readonly #ttlMs: number;
  readonly #clock: Clock;
  readonly #log: BusLog;
  #held: Held | null = null;
  #opened: Store<LeaderRecord> | undefined;
  /** Written by an attempt whose answer was lost: if it is found in the bucket, it is ours. */
  #attempt: LeaderRecord | null = null;

  constructor(link: Link, options: LeaderLeaseOptions) {
    this.#link = link;
    this.#service = options.service;
    this.#holder = options.holder;
    this.#bucket = options.bucket ?? buckets.lease;
    this.#ttlMs = this.#bucket.ttlMs ?? defaultTtlMs;
    this.#clock = options.clock ?? link.options.clock;
    this.#log = options.log ?? link.log;
  }

  get leading(): boolean {
    return this.#held !== null && this.#clock.monotonic() < this.#held.deadline;
  }

  get epoch(): number | null {
    return this.leading && this.#held !== null ? this.#held.epoch : null;
  }

  async run(work: (epoch: number, signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    const untrack = this.#link.track({ drain: () => this.release() });
    try {
      while (!signal.aborted && !this.#link.closing) {
        const held = await this.#campaign();
        if (held !== null) await this.#lead(held, work, signal);
        if (!signal.aborted) await pause(this.#pollDelayMs(), signal);
      }
    } finally {
      untrack();
    }
  }

  async release(): Promise<void> {
    const held = this.#held;
    this.#held = null;
    if (held === null) return;
    held.lost.abort();
    await held.renewing;
    try {
      await (await this.#store()).delete(this.#service, held.revision);
      this.#log.info({ service: this.#service, epoch: held.epoch }, 'bus: gave leadership up');
    } catch (error) {
      // It ends by itself when the time to live is over.
      this.#log.warn({ service: this.#service, error }, 'bus: the lease was not given back');
    }
  }

  async #store(): Promise<Store<LeaderRecord>> {
    this.#opened ??= await openStore<LeaderRecord>(this.#link, this.#bucket);
    return this.#opened;
  }

  #pollDelayMs(): number {
    return pollMs.shortest + this.#link.options.random() * (pollMs.longest - pollMs.shortest);
  }

  /** The server counts the time to live from when it stored the key, which is later than when this was sent. */
  #deadlineFrom(sentAt: number): number {
    return sentAt + this.#ttlMs * (1 - margin);
  }

  async #campaign(): Promise<Held | null> {
    try {
      const store = await this.#store();
      const sentAt = this.#clock.monotonic();
      const record = { holder: this.#holder, since: this.#clock.now() };
      const previous = this.#attempt;
      this.#attempt = record;
      let taken = await store.create(this.#service, record);
      if (!taken.ok && previous !== null) {
        const found = await store.get(this.#service);
        if (found !== null && isSame(found.value, previous))
          taken = await store.update(this.#service, record, found.revision);
      }
      this.#attempt = null;
      if (!taken.ok) return null;
      const epoch = fencingEpoch(await store.madeAt(), taken.value);
      this.#log.info({ service: this.#service, holder: this.#holder, epoch }, 'bus: leading');
      return {
        epoch,
        record,
        revision: taken.value,
        deadline: this.#deadlineFrom(sentAt),
        lost: new AbortController(),
        renewing: Promise.resolve(),
      };
    } catch (error) {
      if (error instanceof NautilusError && hopeless.has(error.code)) throw error;
      this.#log.debug({ service: this.#service, error }, 'bus: could not campaign');
      return null;
    }
  }

  async #lead(
    held: Held,
    work: (epoch: number, signal: AbortSignal) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    this.#held = held;
    const stop = (): void => held.lost.abort();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    held.renewing = this.#keepRenewing(held);
    try {
      await work(held.epoch, held.lost.signal);
    } catch (error) {
      if (!held.lost.signal.aborted)
        this.#log.error(
          { service: this.#service, epoch: held.epoch, error },
          'bus: the work of a leader failed',
        );
    } finally {
      signal.removeEventListener('abort', stop);
      held.lost.abort();
      await held.renewing;
      // Still held when the work or the caller ended it; then the next one need not wait for the expiry.
      if (this.#held === held) await this.release();
    }
  }

  async #keepRenewing(held: Held): Promise<void> {
    const { signal } = held.lost;
    let failed = false;
    while (!signal.aborted) {
      const leftMs = held.deadline - this.#clock.monotonic();
      if (leftMs <= 0) {
        this.#lose(held, 'its deadline passed without a renewal');
        return;
      }
      // After a failure sooner, and never past the deadline: the work must hear of it in time.
      await pause(Math.min(this.#ttlMs / (failed ? 20 : 3), leftMs), signal);
      if (signal.aborted || this.#clock.monotonic() >= held.deadline) continue;
      failed = !(await this.#renew(held));
    }
  }

  /** False when the server was not heard; a lease that someone else holds is lost at once. */
  async #renew(held: Held): Promise<boolean> {
    const sentAt = this.#clock.monotonic();
    const overdue = new AbortController();
    try {
      const store = await this.#store();
      const result = await Promise.race([
        store.update(this.#service, held.record, held.revision),
        pause(held.deadline - sentAt, overdue.signal).then(() => null),
      ]);
      if (result === null) return false;
      if (result.ok) {
        held.revision = result.value;
        held.deadline = this.#deadlineFrom(sentAt);
        return true;
      }
      const found = await store.get(this.#service);
      if (found !== null && isSame(found.value, held.record)) {
        // An earlier renewal had arrived though its answer had not; renew again from there.
        held.revision = found.revision;
        return false;
      }
      this.#lose(held, found === null ? 'it had expired' : `${found.value.holder} holds it`);
    } catch (error) {
      this.#log.warn({ service: this.#service, epoch: held.epoch, error }, 'bus: the lease was not renewed');
    } finally {
      overdue.abort();
    }
    return false;
  }

  #lose(held: Held, reason: string): void {
    if (this.#held === held) this.#held = null;
    held.lost.abort();
    this.#log.warn({ service: this.#service, epoch: held.epoch, reason }, 'bus: leadership lost');
  }
}

const hopeless: ReadonlySet<string> = new Set(['permission_denied', 'config_invalid', 'server_too_old']);

function isSame(found: LeaderRecord, written: LeaderRecord): boolean {
  return found.holder === written.holder && found.since === written.since;
}
