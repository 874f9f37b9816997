/**
 * The wrapper around one endpoint: it refuses what is too large, too late or too much before any work is done, and
 * turns whatever the handler does into exactly one reply.
 */
import type { Msg } from '@nats-io/transport-node';
import { headers } from '@nats-io/transport-node';
import { type Fault, fail, headerNames, type Result } from '@nautilus/contracts';
import { isAnswerable } from './answerable.ts';
import type { Link } from './link.ts';
import { faultHeaders, parseBody } from './message.ts';
import { Scope } from './request-scope.ts';
import type { Endpoint } from './serve.ts';

const defaultConcurrency = 64;
const defaultQueueLimit = 1_024;

/** ADR-32's figures of one endpoint; times in nanoseconds. */
export interface EndpointFigures {
  requests: number;
  errors: number;
  lastError: string;
  processingNs: number;
}

export class EndpointRunner {
  readonly endpoint: Endpoint;
  readonly figures: EndpointFigures = { requests: 0, errors: 0, lastError: '', processingNs: 0 };
  readonly #link: Link;
  readonly #concurrency: number;
  readonly #queueLimit: number;
  readonly #queue: Msg[] = [];
  readonly #running = new Set<Scope>();
  #idle: (() => void)[] = [];

  constructor(link: Link, endpoint: Endpoint) {
    this.#link = link;
    this.endpoint = endpoint;
    this.#concurrency = endpoint.concurrency ?? defaultConcurrency;
    this.#queueLimit = endpoint.queueLimit ?? defaultQueueLimit;
  }

  /** Runs inside the client's read loop, so it only starts, queues or refuses. */
  take(message: Msg): void {
    if (!isAnswerable(message.reply)) {
      this.#link.stats.invalidMessages += 1;
      this.#link.log.warn(
        { subject: message.subject, reply: message.reply },
        'bus: a request names a reply subject that is no inbox',
      );
      return;
    }
    this.figures.requests += 1;
    this.#link.stats.handled += 1;
    if (this.#running.size < this.#concurrency) this.#start(message);
    else if (this.#queue.length < this.#queueLimit) this.#queue.push(message);
    else {
      this.#link.stats.overloaded += 1;
      this.#refuse(
        new Scope(this.#link, message),
        fail('overloaded', `${this.#queueLimit} requests are waiting already`, {
          queueLimit: this.#queueLimit,
          concurrency: this.#concurrency,
        }).fault,
      );
    }
  }

  /** Resolves when everything taken has its reply. */
  idle(): Promise<void> {
    if (this.#running.size === 0 && this.#queue.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Tells handlers to stop, and answers in their place those that wait and those that go on all the same. */
  abort(): void {
    for (const message of this.#queue.splice(0)) this.#refuse(new Scope(this.#link, message), draining);
    for (const scope of this.#running) scope.abort();
  }

  answerRemaining(): number {
    const remaining = [...this.#running];
    for (const scope of remaining) this.#refuse(scope, draining);
    return remaining.length;
  }

  #start(message: Msg): void {
    const scope = new Scope(this.#link, message);
    this.#running.add(scope);
    void this.#run(scope).finally(() => {
      scope.end();
      this.#running.delete(scope);
      const next = this.#queue.shift();
      if (next !== undefined) this.#start(next);
      else if (this.#running.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
    });
  }

  async #run(scope: Scope): Promise<void> {
    const startedAt = this.#link.options.clock.monotonic();
    const result = await this.#answer(scope);
    this.figures.processingNs += Math.round((this.#link.options.clock.monotonic() - startedAt) * 1e6);
    if (result.ok) this.#reply(scope, result.value);
    else this.#refuse(scope, result.fault);
  }

  async #answer(scope: Scope): Promise<Result<unknown>> {
    const { contract } = this.endpoint;
    const { data } = scope.message;
    if (data.length > contract.maximumBytes)
      return fail('message_too_large', `${data.length} bytes, at most ${contract.maximumBytes} are taken`, {
        bytes: data.length,
        maximumBytes: contract.maximumBytes,
      });
    if (scope.deadline !== null && this.#link.options.clock.now() > scope.deadline) {
      this.#link.stats.deadlineDropped += 1;
      return fail('deadline_exceeded', `the deadline ${scope.deadline} had passed before the work began`);
    }
    try {
      // Parsing is inside: a message that breaks the parser itself must be answered too.
      const body = parseBody(contract.request, data);
      if (!body.ok) return body;
      return await this.endpoint.handle(body.value, scope);
    } catch (error) {
      this.#link.stats.handlerErrors += 1;
      scope.log.error({ error }, 'bus: a handler threw');
      return fail('internal', `internal error; the log has it under request ${scope.requestId}`, {
        requestId: scope.requestId,
      });
    }
  }

  #reply(scope: Scope, value: unknown): void {
    if (scope.replied) return;
    try {
      const sent = headers();
      sent.set(headerNames.requestId, scope.requestId);
      scope.reply(JSON.stringify(value), sent);
    } catch (error) {
      // Not serialisable, or larger than the server takes: the requester must not wait for it in vain.
      this.#link.stats.handlerErrors += 1;
      scope.log.error({ error }, 'bus: an answer could not be sent');
      this.#refuse(
        scope,
        fail('internal', `the answer to request ${scope.requestId} could not be sent`).fault,
      );
    }
  }

  #refuse(scope: Scope, fault: Fault): void {
    if (scope.replied) return;
    this.figures.errors += 1;
    this.figures.lastError = `${fault.code}: ${fault.message}`;
    try {
      scope.reply(JSON.stringify(fault), faultHeaders(fault, scope.requestId));
    } catch (error) {
      scope.log.error({ error, fault: fault.code }, 'bus: a refusal could not be sent');
    }
  }
}

const draining: Fault = { code: 'draining', message: 'the service is shutting down' };
