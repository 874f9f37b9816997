/**
 * Work that is done once: a durable consumer of a work-queue stream. Each worker asks for one job at a time, so that
 * no job waits, already counted as delivered, behind another one of the same process.
 */
import { AckPolicy, type Consumer, type ConsumerConfig, DeliverPolicy, type JsMsg } from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import { NautilusError, type Notice, noticeSubject, type Stream } from '@nautilus/contracts';
import { classify } from './classify.ts';
import { backoffMs, pause } from './clock.ts';
import type { Link } from './link.ts';
import { parseBody } from './message.ts';
import type { OutputOf, Schema } from './schema.ts';
import { ensureStream, restore } from './streams.ts';
import { noticeInfo } from './subscribe.ts';

export interface WorkQueueOptions<Body extends Schema = Schema> {
  stream: Stream;
  contract: Notice<Body>;
  /** Whose jobs, and which: both `*` when not given. Only one durable may cover a subject of a stream. */
  host?: string;
  topic?: string;
  durable: string;
  /** Longer than the longest step between two `working()`. */
  ackWaitMs: number;
  maxDeliver: number;
  concurrency: number;
  /** Before a failed job is delivered again; 1 s. */
  retryDelayMs?: number;
}

export interface JobInfo {
  readonly subject: string;
  readonly host: string;
  readonly topic: string;
  /** 1 at the first time. */
  readonly delivery: number;
  /** A sign of life: `ackWaitMs` starts again. */
  working(): void;
  /** Aborts when a drain runs out of time. */
  readonly signal: AbortSignal;
}

/** Returns when the job is done; what it throws is logged and the job is delivered again, `maxDeliver` times at most. */
export type Worker<Body> = (body: Body, info: JobInfo) => Promise<void>;

export interface WorkQueue {
  /** Takes no more and resolves when what was begun is done. */
  drain(timeoutMs?: number): Promise<void>;
}

/** How long one question for the next job stays open; also the longest a drain waits for an idle worker. */
const questionMs = 1_000;
const defaultRetryMs = 1_000;
const defaultDrainMs = 30_000;

export async function openWorkQueue<Body extends Schema>(
  link: Link,
  options: WorkQueueOptions<Body>,
  handler: Worker<OutputOf<Body>>,
): Promise<WorkQueue> {
  const stopping = new AbortController();
  const overdue = new AbortController();
  const stopped = new Promise<null>((resolve) => {
    stopping.signal.addEventListener('abort', () => setTimeout(() => resolve(null), questionMs), {
      once: true,
    });
  });
  let consumer = await ensureConsumer(link, options);
  const unhook = link.onReconnect(
    () =>
      restore(link, async () => {
        consumer = await ensureConsumer(link, options);
      }),
    'restore',
  );
  const workers = Array.from({ length: options.concurrency }, async () => {
    let failures = 0;
    while (!stopping.signal.aborted) {
      try {
        link.assertUsable(options.durable);
        // A question that nobody answers, because the server is gone, must not outlive the wish to stop.
        const message = await Promise.race([consumer.next({ expires: questionMs }), stopped]);
        failures = 0;
        if (message !== null) await work(link, options, handler, message, overdue.signal);
      } catch (error) {
        if (stopping.signal.aborted) return;
        link.log.warn({ durable: options.durable, error }, 'bus: a worker could not ask for a job');
        await pause(backoffMs(failures, link.options.random, 250, 5_000), stopping.signal);
        failures += 1;
      }
    }
  });

  const finish = async (timeoutMs: number): Promise<void> => {
    stopping.abort();
    unhook();
    const timer = setTimeout(() => overdue.abort(), timeoutMs);
    await Promise.all(workers);
    clearTimeout(timer);
    untrack();
  };
  let draining: Promise<void> | null = null;
  const queue: WorkQueue = {
    drain(timeoutMs = defaultDrainMs) {
      draining ??= finish(timeoutMs);
      return draining;
    },
  };
  const untrack = link.track(queue);
  return queue;
}

async function work<Body extends Schema>(
  link: Link,
  options: WorkQueueOptions<Body>,
  handler: Worker<OutputOf<Body>>,
  message: JsMsg,
  signal: AbortSignal,
): Promise<void> {
  const { subject } = message;
  const delivery = message.info.deliveryCount;
  const body = parseBody(options.contract.body, message.data);
  if (!body.ok) {
    link.stats.invalidMessages += 1;
    link.log.error({ subject, fault: body.fault }, 'bus: a job does not match its contract and is dropped');
    message.term();
    return;
  }
  link.stats.handled += 1;
  const { host, topic } = noticeInfo(options.contract, subject);
  try {
    await handler(body.value, { subject, host, topic, delivery, signal, working: () => message.working() });
  } catch (error) {
    link.stats.handlerErrors += 1;
    link.log.error({ subject, delivery, maxDeliver: options.maxDeliver, error }, 'bus: a job failed');
    // A job that used up its deliveries would stay in the stream without ever being delivered again.
    if (delivery >= options.maxDeliver) message.term();
    else message.nak(options.retryDelayMs ?? defaultRetryMs);
    return;
  }
  // Confirmed by the server: an ack that was lost would have the job done twice.
  if (!(await message.ackAck()))
    link.log.warn({ subject, delivery }, 'bus: the end of a job was not confirmed');
}

async function ensureConsumer(link: Link, options: WorkQueueOptions): Promise<Consumer> {
  await ensureStream(link, options.stream);
  const { host, topic, durable, maxDeliver } = options;
  const wanted = {
    durable_name: durable,
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
    ack_wait: nanos(options.ackWaitMs),
    max_deliver: maxDeliver,
    filter_subject: noticeSubject(options.contract, {
      ...(host === undefined ? {} : { host }),
      ...(topic === undefined ? {} : { topic }),
    }),
  } satisfies Partial<ConsumerConfig>;
  try {
    await (await link.manager()).consumers.add(options.stream.name, wanted);
    return await link.js.consumers.get(options.stream.name, durable);
  } catch (error) {
    if (error instanceof Error && /consumer (name )?already (exists|in use)|not unique/.test(error.message))
      throw new NautilusError(
        {
          code: 'config_invalid',
          message: `the work queue "${durable}" of stream "${options.stream.name}" clashes with one that exists: ${error.message}`,
          details: { stream: options.stream.name, durable, filter: wanted.filter_subject },
        },
        { cause: error },
      );
    throw classify(error, `the work queue "${durable}"`);
  }
}
