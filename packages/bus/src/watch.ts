/**
 * A watch that outlives its consumer: after a reconnect, a lost message, a restart of the server with or without its
 * store, and every so often in any case, it lists everything again and reports what it had missed. It has one
 * consumer at a time, and removes the old one before it makes the next.
 */
import { type Bucket, NautilusError } from '@nautilus/contracts';
import { backoffMs, pause } from './clock.ts';
import { type Entry, type Feed, openFeed } from './feed.ts';
import type { Link } from './link.ts';
import { listBucket } from './list.ts';
import type { Watch } from './store.ts';
import { ensureBucket } from './streams.ts';

export interface WatcherOptions {
  bucket: Bucket;
  filter: string;
  reconcileMs: number;
  onEntry(entry: Entry): void;
}

interface Known {
  readonly revision: number;
  readonly deleted: boolean;
}

export class Watcher implements Watch {
  readonly ready: Promise<void>;
  readonly #link: Link;
  readonly #options: WatcherOptions;
  readonly #stopped = new AbortController();
  readonly #finished: Promise<void>;
  readonly #release: (() => void)[] = [];
  readonly #known = new Map<string, Known>();
  /** When the stream was made: revisions of another one do not compare. */
  #incarnation = '';
  #becomeReady: () => void = () => undefined;
  #fail: (reason: Error) => void = () => undefined;
  #isReady = false;
  #wake: AbortController = new AbortController();

  constructor(link: Link, options: WatcherOptions) {
    this.#link = link;
    this.#options = options;
    this.ready = new Promise((resolve, reject) => {
      this.#becomeReady = resolve;
      this.#fail = reject;
    });
    this.#release.push(
      link.onReconnect(() => this.#wake.abort(), 'watch'),
      link.track({ drain: () => this.stop() }),
    );
    this.#finished = this.#run();
  }

  async stop(): Promise<void> {
    for (const release of this.#release.splice(0)) release();
    this.#stopped.abort();
    this.#wake.abort();
    // Whoever still waits for the first list gets an ended watch.
    this.#becomeReady();
    await this.#finished;
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#stopped.signal.aborted) {
      this.#wake = new AbortController();
      // A stop between the check and this line must not be lost.
      if (this.#stopped.signal.aborted) return;
      const outcome = await this.#session(this.#wake);
      if (outcome === 'renew') {
        failures = 0;
        continue;
      }
      const delayMs = backoffMs(failures, this.#link.options.random);
      failures += 1;
      this.#link.log.warn(
        { bucket: this.#options.bucket.name, filter: this.#options.filter, reason: outcome, delayMs },
        'bus: a watch was lost and will be made again',
      );
      await pause(delayMs, this.#wake.signal);
    }
  }

  /** One consumer's life. `renew` when it ended because it should, otherwise the reason. */
  async #session(wake: AbortController): Promise<string> {
    let lost: string | null = null;
    let feed: Feed | null = null;
    const sessionOver = new AbortController();
    try {
      await this.#meetStream();
      // The changes first and then the list: what the list does not have yet, the feed brings.
      feed = await openFeed(this.#link, {
        bucket: this.#options.bucket.name,
        filter: this.#options.filter,
        onEntry: (entry) => this.#apply(entry),
        onLost: (reason) => {
          lost = reason;
          sessionOver.abort();
        },
      });
      await this.#reconcile();
      this.#isReady = true;
      this.#becomeReady();
      await pause(this.#options.reconcileMs, AbortSignal.any([wake.signal, sessionOver.signal]));
    } catch (error) {
      this.#refuseAtStart(error);
      lost = error instanceof Error ? error.message : String(error);
    }
    await feed?.close();
    this.#link.stats.rewatches += 1;
    return lost ?? 'renew';
  }

  async #reconcile(): Promise<void> {
    const before = new Map(this.#known);
    const { names, entries } = await listBucket(this.#link, this.#options.bucket, this.#options.filter);
    for (const entry of entries) this.#apply(entry);
    for (const [key, known] of before) {
      // Still in the stream, or written again while the list was made.
      if (names.has(key) || this.#known.get(key) !== known) continue;
      this.#known.delete(key);
      if (!known.deleted) this.#hand({ key, revision: known.revision, data: null });
    }
  }

  /** What no retry can mend is told to whoever asked for the watch, while he still waits. */
  #refuseAtStart(error: unknown): void {
    if (this.#isReady || !(error instanceof NautilusError)) return;
    if (
      error.code !== 'permission_denied' &&
      error.code !== 'config_invalid' &&
      error.code !== 'server_too_old'
    )
      return;
    for (const release of this.#release.splice(0)) release();
    this.#stopped.abort();
    this.#wake.abort();
    this.#fail(error);
  }

  async #meetStream(): Promise<void> {
    const { created } = await ensureBucket(this.#link, this.#options.bucket);
    if (created === this.#incarnation) return;
    this.#incarnation = created;
    for (const [key, known] of this.#known) this.#known.set(key, { ...known, revision: 0 });
  }

  #apply(entry: Entry): void {
    const known = this.#known.get(entry.key);
    if (known !== undefined && entry.revision <= known.revision) return;
    this.#known.set(entry.key, { revision: entry.revision, deleted: entry.data === null });
    // A marker of a deletion that nobody here had known as a value is no news.
    if (entry.data === null && (known === undefined || known.deleted)) return;
    this.#hand(entry);
  }

  #hand(entry: Entry): void {
    try {
      this.#options.onEntry(entry);
    } catch (error) {
      this.#link.stats.handlerErrors += 1;
      this.#link.log.error(
        { error, bucket: this.#options.bucket.name, key: entry.key },
        'bus: the handler of a watch failed',
      );
    }
  }
}
