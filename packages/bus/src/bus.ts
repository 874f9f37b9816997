/**
 * What every other package sees of NATS. The types name contracts and results only: no NATS class, subject or
 * client error leaves this package.
 */
import type { Bucket, DataAddress, Exchange, Notice, Stream } from '@nautilus/contracts';
import type { Clock } from './clock.ts';
import type { FramePart } from './data.ts';
import type { Feature } from './features.ts';
import type { Worker, WorkQueue, WorkQueueOptions } from './jobs.ts';
import type { LeaderLease, LeaderLeaseOptions } from './leader.ts';
import type { BusLog } from './log.ts';
import type { InputOf, OutputOf, Schema } from './schema.ts';
import type { ServedService, ServiceDefinition } from './serve.ts';
import type { Store } from './store.ts';

/** An nkey's seed, or a user with a password. Seeds come from files, never from the environment. */
export type Credentials = { nkeySeed: string } | { user: string; password: string };

export interface BusTls {
  caFile?: string;
  certFile?: string;
  keyFile?: string;
}

export interface BusOptions {
  servers: string | readonly string[];
  /** Shown by NATS in its connection list; also the default inbox `_INBOX.<name>`. */
  name: string;
  log?: BusLog;
  credentials?: Credentials | null;
  inboxPrefix?: string;
  /** A half-open link is noticed after twice this long. */
  pingIntervalMs?: number;
  /** Gives up waiting for the first connection. */
  signal?: AbortSignal;
  requireFeatures?: readonly Feature[];
  /** False: an absent server is an error at once. */
  waitOnFirstConnect?: boolean;
  tls?: BusTls;
  /** Longest wait between two attempts to reconnect. */
  reconnectDelayMs?: number;
  /** Replicas of the buckets and streams that this process creates. */
  replicas?: number;
  clock?: Clock;
  newId?: () => string;
  /** 0 ≤ value < 1, for jitter. */
  random?: () => number;
}

export type BusState = 'connected' | 'disconnected' | 'closed';

/** Counters since the connection was made; the shell exports them as metrics. */
export interface BusStats {
  reconnects: number;
  slowConsumers: number;
  permissionViolations: number;
  requests: number;
  requestErrors: number;
  handled: number;
  handlerErrors: number;
  overloaded: number;
  deadlineDropped: number;
  published: number;
  /** Core messages that were published while the link was down: they are gone, see M1. */
  publishesDropped: number;
  invalidMessages: number;
  /** Watches that were listed again, for whatever reason. */
  rewatches: number;
}

export interface Address {
  host?: string;
  party?: string;
}

export interface NoticeAddress extends Address {
  topic?: string;
}

export interface RequestOptions {
  /** 5 seconds when not given. */
  timeoutMs?: number;
  signal?: AbortSignal;
  requestId?: string;
  /** Fencing epoch of the commanding leader. */
  epoch?: number;
  traceparent?: string;
}

export interface GatherOptions<Reply> {
  /** Ends when this many have answered. */
  count?: number;
  /** Ends this long after the last answer; used when neither `count` nor `expected` is given. 100 ms. */
  stallMs?: number;
  timeoutMs: number;
  /**
   * Who should answer. For `req` and `cmd` the hosts, each asked on its own subject; for `api` the names that
   * `who` reads from the replies.
   */
  expected?: readonly string[];
  who?: (reply: Reply) => string;
  signal?: AbortSignal;
  epoch?: number;
}

export interface Gathered<Reply> {
  replies: Reply[];
  /** Those of `expected` who did not answer, or answered with an error (it is logged). */
  missing: readonly string[];
}

export interface NoticeInfo {
  subject: string;
  host: string;
  party: string;
  topic: string;
}

export interface SubscribeOptions {
  queue?: string;
  /** Pending messages from which on the handler counts as slow. */
  slow?: number;
}

export interface Subscription {
  readonly subject: string;
  /** Takes no more, and resolves when everything that had arrived is handled. */
  drain(): Promise<void>;
}

export interface Bus extends AsyncDisposable {
  readonly state: BusState;
  readonly serverVersion: string;
  readonly url: string;
  readonly stats: BusStats;
  /** Core messages sent while the link was down are lost: whoever announces state announces it again here. */
  onReconnect(callback: () => void | Promise<void>): () => void;
  onState(callback: (state: BusState) => void): () => void;

  request<Req extends Schema, Res extends Schema>(
    contract: Exchange<Req, Res>,
    at: Address,
    body: InputOf<Req>,
    options?: RequestOptions,
  ): Promise<OutputOf<Res>>;
  gather<Req extends Schema, Res extends Schema>(
    contract: Exchange<Req, Res>,
    at: Address,
    body: InputOf<Req>,
    options: GatherOptions<OutputOf<Res>>,
  ): Promise<Gathered<OutputOf<Res>>>;

  /** Arrives or not, and nobody is told. For what must arrive: `publishDurable`, or a store. */
  publish<Body extends Schema>(contract: Notice<Body>, at: NoticeAddress, body: InputOf<Body>): void;
  /** Resolves when a stream has stored it. The same `messageId` twice is stored once. */
  publishDurable<Body extends Schema>(
    contract: Notice<Body>,
    at: NoticeAddress,
    body: InputOf<Body>,
    options: { messageId: string; timeoutMs?: number },
  ): Promise<{ sequence: number; duplicate: boolean }>;
  /** Messages are handled one after the other. Resolves when the server knows of the subscription. */
  subscribe<Body extends Schema>(
    contract: Notice<Body>,
    at: NoticeAddress,
    handler: (body: OutputOf<Body>, info: NoticeInfo) => void | Promise<void>,
    options?: SubscribeOptions,
  ): Promise<Subscription>;

  /** Bytes of a part of a frame: at most this many. */
  readonly largestPartBytes: number;
  /** Arrives or not; false when the link is down. */
  publishData(at: DataAddress, part: FramePart, bytes: Uint8Array): boolean;
  /** Parts as they arrive; the callback keeps up or buffers by itself. Resolves when the server knows of it. */
  subscribeData(at: DataAddress, take: (part: FramePart, bytes: Uint8Array) => void): Promise<Subscription>;

  serve(service: ServiceDefinition): Promise<ServedService>;
  store<Value extends Schema>(bucket: Bucket<Value>): Promise<Store<OutputOf<Value>>>;
  store<V>(bucket: Bucket): Promise<Store<V>>;
  ensureStream(stream: Stream): Promise<void>;
  leaderLease(options: LeaderLeaseOptions): LeaderLease;
  workQueue<Body extends Schema>(
    options: WorkQueueOptions<Body>,
    handler: Worker<OutputOf<Body>>,
  ): Promise<WorkQueue>;

  /** Bytes in, bytes out, without a contract: what a round trip costs at least. For benchmarks. */
  requestRaw(subject: string, bytes: Uint8Array, timeoutMs: number): Promise<Uint8Array>;
  respondRaw(subject: string, answer: (bytes: Uint8Array) => Uint8Array): Promise<Subscription>;

  /** Resolves when the server has seen everything that was sent. */
  flush(): Promise<void>;
  /** Drains what is still open, in the order that loses no reply, and closes. Twice is the same as once. */
  close(): Promise<void>;
}
