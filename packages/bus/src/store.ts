/** State in a bucket, one writer a key: read with the revision, change by compare-and-set, watch what others write. */
import { type KV, Kvm } from '@nats-io/kv';
import { type Bucket, NautilusError, ok, type Result } from '@nautilus/contracts';
import { classify, isMissing } from './classify.ts';
import type { Entry } from './feed.ts';
import type { Link } from './link.ts';
import { listBucket } from './list.ts';
import { parseBody } from './message.ts';
import { ensureBucket, restore } from './streams.ts';
import { Watcher } from './watch.ts';

export interface Stored<V> {
  readonly value: V;
  readonly revision: number;
}

export interface Change<V> {
  readonly key: string;
  /** Null when the key was deleted or has expired. */
  readonly value: V | null;
  readonly revision: number;
}

export interface WatchOptions {
  /** How often everything is listed again; finds expired keys. 30 s, or half the bucket's time to live. */
  reconcileMs?: number;
}

export interface Watch {
  /** Resolves when the first list was handed over; `watch` itself has already waited for it. */
  readonly ready: Promise<void>;
  stop(): Promise<void>;
}

export interface Store<V> {
  get(key: string): Promise<Stored<V> | null>;
  /** Fault `conflict` when the key exists. */
  create(key: string, value: V): Promise<Result<number>>;
  /** Fault `conflict` when the revision is not the newest. */
  update(key: string, value: V, revision: number): Promise<Result<number>>;
  put(key: string, value: V): Promise<number>;
  /** With a revision: throws `conflict` when it is not the newest. */
  delete(key: string, previousRevision?: number): Promise<void>;
  keys(filter?: string): Promise<string[]>;
  snapshot(filter?: string): Promise<Map<string, Stored<V>>>;
  /** When the server made this bucket, Unix seconds: another value is another bucket, whose revisions began again. */
  madeAt(): Promise<number>;
  /** Hands over what is there, then every change, each key in the order of its revisions. */
  watch(filter: string, handler: (change: Change<V>) => void, options?: WatchOptions): Promise<Watch>;
}

const defaultReconcileMs = 30_000;
/** Every key. */
const everything = '>';

export async function openStore<V>(link: Link, bucket: Bucket): Promise<Store<V>> {
  await ensureBucket(link, bucket);
  const kv = await new Kvm(link.js).open(bucket.name, { allow_direct: true });
  link.onReconnect(() => restore(link, () => ensureBucket(link, bucket)), 'restore');
  return new KvStore<V>(link, bucket, kv);
}

class KvStore<V> implements Store<V> {
  readonly #link: Link;
  readonly #bucket: Bucket;
  readonly #kv: KV;

  constructor(link: Link, bucket: Bucket, kv: KV) {
    this.#link = link;
    this.#bucket = bucket;
    this.#kv = kv;
  }

  async get(key: string): Promise<Stored<V> | null> {
    const entry = await this.#do(key, () => this.#kv.get(key));
    if (entry === null || entry.operation !== 'PUT') return null;
    const value = this.#parse({ key, revision: entry.revision, data: entry.value });
    return value === null ? null : { value: value.value, revision: entry.revision };
  }

  create(key: string, value: V): Promise<Result<number>> {
    return this.#compareAndSet(key, () => this.#kv.create(key, JSON.stringify(value)));
  }

  update(key: string, value: V, revision: number): Promise<Result<number>> {
    return this.#compareAndSet(key, () => this.#kv.update(key, JSON.stringify(value), revision));
  }

  put(key: string, value: V): Promise<number> {
    return this.#do(key, () => this.#kv.put(key, JSON.stringify(value)));
  }

  delete(key: string, previousRevision?: number): Promise<void> {
    const options = previousRevision === undefined ? {} : { previousSeq: previousRevision };
    return this.#do(key, () => this.#kv.delete(key, options));
  }

  async keys(filter: string = everything): Promise<string[]> {
    return (await this.#list(filter)).map((entry) => entry.key);
  }

  async snapshot(filter: string = everything): Promise<Map<string, Stored<V>>> {
    const found = new Map<string, Stored<V>>();
    for (const entry of await this.#list(filter)) {
      const value = this.#parse(entry);
      if (value !== null) found.set(entry.key, { value: value.value, revision: entry.revision });
    }
    return found;
  }

  madeAt(): Promise<number> {
    return this.#do('', async () => {
      const { streamInfo } = await this.#kv.status();
      return Math.floor(Date.parse(streamInfo.created) / 1000);
    });
  }

  async watch(
    filter: string,
    handler: (change: Change<V>) => void,
    options: WatchOptions = {},
  ): Promise<Watch> {
    this.#link.assertUsable(`a watch on "${this.#bucket.name}"`);
    const { ttlMs } = this.#bucket;
    const watcher = new Watcher(this.#link, {
      bucket: this.#bucket,
      filter,
      reconcileMs: options.reconcileMs ?? Math.min(defaultReconcileMs, (ttlMs ?? Infinity) / 2),
      onEntry: (entry) => {
        const { key, revision } = entry;
        if (entry.data === null) {
          handler({ key, value: null, revision });
          return;
        }
        const parsed = this.#parse(entry);
        if (parsed !== null) handler({ key, value: parsed.value, revision });
      },
    });
    await watcher.ready;
    return watcher;
  }

  /** Null for a value that does not match the contract: logged and skipped, because its writer must repair it. */
  #parse(entry: Entry): { value: V } | null {
    const parsed = parseBody(this.#bucket.value, entry.data ?? new Uint8Array());
    if (parsed.ok) return { value: parsed.value as V };
    this.#link.stats.invalidMessages += 1;
    this.#link.log.warn(
      { bucket: this.#bucket.name, key: entry.key, revision: entry.revision, fault: parsed.fault },
      'bus: a stored value does not match its contract',
    );
    return null;
  }

  async #compareAndSet(key: string, write: () => Promise<number>): Promise<Result<number>> {
    try {
      return ok(await this.#do(key, write));
    } catch (error) {
      if (error instanceof NautilusError && error.code === 'conflict')
        return { ok: false, fault: error.toFault() };
      throw error;
    }
  }

  async #list(filter: string): Promise<Entry[]> {
    const { entries } = await this.#do(filter, () => listBucket(this.#link, this.#bucket, filter));
    return entries.filter((entry) => entry.data !== null);
  }

  /** A bucket that the server lost is made again, once; then the answer counts. */
  async #do<T>(key: string, operation: () => Promise<T>): Promise<T> {
    const what = `the key "${key}" of "${this.#bucket.name}"`;
    this.#link.assertUsable(what);
    try {
      try {
        return await this.#link.orLost(operation());
      } catch (error) {
        if (!isMissing(error)) throw error;
        await ensureBucket(this.#link, this.#bucket);
        return await this.#link.orLost(operation());
      }
    } catch (error) {
      throw classify(error, what);
    }
  }
}
