/** The bus over one connection: each method is a file of its own, this one only puts them together. */
import type { Bucket, DataAddress, Exchange, Notice, Stream } from '@nautilus/contracts';
import type {
  Address,
  Bus,
  BusState,
  BusStats,
  GatherOptions,
  NoticeAddress,
  NoticeInfo,
  RequestOptions,
  SubscribeOptions,
} from './bus.ts';
import { classify } from './classify.ts';
import { type FramePart, largestPartBytes, publishData, subscribeData } from './data.ts';
import { gather } from './gather.ts';
import { openWorkQueue, type Worker, type WorkQueueOptions } from './jobs.ts';
import { KvLeaderLease, type LeaderLeaseOptions } from './leader.ts';
import type { Link } from './link.ts';
import { publish, publishDurable } from './publish.ts';
import { requestRaw, respondRaw } from './raw.ts';
import { request } from './request.ts';
import type { InputOf, OutputOf, Schema } from './schema.ts';
import { type ServiceDefinition, serve } from './serve.ts';
import { openStore, type Store } from './store.ts';
import { ensureStream, restore } from './streams.ts';
import { subscribe } from './subscribe.ts';

export class NatsBus implements Bus {
  readonly #link: Link;
  readonly #restored = new Set<string>();
  readonly #stores = new Map<string, Store<unknown>>();

  constructor(link: Link) {
    this.#link = link;
  }

  get state(): BusState {
    return this.#link.state;
  }

  get serverVersion(): string {
    return this.#link.nc.info?.version ?? '';
  }

  get url(): string {
    return `nats://${this.#link.nc.getServer()}`;
  }

  get stats(): BusStats {
    return this.#link.stats;
  }

  onReconnect(callback: () => void | Promise<void>): () => void {
    return this.#link.onReconnect(callback);
  }

  onState(callback: (state: BusState) => void): () => void {
    return this.#link.onState(callback);
  }

  request<Req extends Schema, Res extends Schema>(
    contract: Exchange<Req, Res>,
    at: Address,
    body: InputOf<Req>,
    options?: RequestOptions,
  ): Promise<OutputOf<Res>> {
    return request(this.#link, contract, at, body, options);
  }

  gather<Req extends Schema, Res extends Schema>(
    contract: Exchange<Req, Res>,
    at: Address,
    body: InputOf<Req>,
    options: GatherOptions<OutputOf<Res>>,
  ) {
    return gather(this.#link, contract, at, body, options);
  }

  publish<Body extends Schema>(contract: Notice<Body>, at: NoticeAddress, body: InputOf<Body>): void {
    publish(this.#link, contract, at, body);
  }

  publishDurable<Body extends Schema>(
    contract: Notice<Body>,
    at: NoticeAddress,
    body: InputOf<Body>,
    options: { messageId: string; timeoutMs?: number },
  ) {
    return publishDurable(this.#link, contract, at, body, options);
  }

  subscribe<Body extends Schema>(
    contract: Notice<Body>,
    at: NoticeAddress,
    handler: (body: OutputOf<Body>, info: NoticeInfo) => void | Promise<void>,
    options?: SubscribeOptions,
  ) {
    return subscribe(this.#link, contract, at, handler, options);
  }

  get largestPartBytes(): number {
    return largestPartBytes(this.#link);
  }

  publishData(at: DataAddress, part: FramePart, bytes: Uint8Array): boolean {
    return publishData(this.#link, at, part, bytes);
  }

  subscribeData(at: DataAddress, take: (part: FramePart, bytes: Uint8Array) => void) {
    return subscribeData(this.#link, at, take);
  }

  serve(service: ServiceDefinition) {
    return serve(this.#link, service);
  }

  async store<V>(bucket: Bucket): Promise<Store<V>> {
    const known = this.#stores.get(bucket.name);
    if (known !== undefined) return known as Store<V>;
    const opened = await openStore<V>(this.#link, bucket);
    this.#stores.set(bucket.name, opened as Store<unknown>);
    return opened;
  }

  async ensureStream(stream: Stream): Promise<void> {
    await ensureStream(this.#link, stream);
    if (this.#restored.has(stream.name)) return;
    this.#restored.add(stream.name);
    this.#link.onReconnect(() => restore(this.#link, () => ensureStream(this.#link, stream)), 'restore');
  }

  leaderLease(options: LeaderLeaseOptions) {
    return new KvLeaderLease(this.#link, options);
  }

  workQueue<Body extends Schema>(options: WorkQueueOptions<Body>, handler: Worker<OutputOf<Body>>) {
    return openWorkQueue(this.#link, options, handler);
  }

  requestRaw(subject: string, bytes: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    return requestRaw(this.#link, subject, bytes, timeoutMs);
  }

  respondRaw(subject: string, answer: (bytes: Uint8Array) => Uint8Array) {
    return respondRaw(this.#link, subject, answer);
  }

  async flush(): Promise<void> {
    this.#link.assertUsable('a flush');
    await this.#link.nc.flush().catch((error: unknown) => {
      throw classify(error, 'a flush');
    });
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
