/**
 * One call to the Docker engine: always with a deadline, with a bounded answer, on a connection of its own, so that an
 * engine that hangs, floods or vanishes costs this call only. dockerode carries the request; what goes wrong is an
 * answer, never an exception.
 */
import { Agent, IncomingMessage } from 'node:http';
import type { Clock } from '@nautilus/kit';
import Docker from 'dockerode';
import type { z } from 'zod';
import { type Failure, failureOfError, failureOfStatus } from './failure.ts';

export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: Failure };

export interface Call<T> {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Without the version of the API. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly schema: z.ZodType<T>;
  readonly deadlineMs: number;
}

export interface ConnectionOptions {
  readonly socketPath: string;
  readonly clock: Clock;
  /** Ends every call, for when the agent stops. */
  readonly signal?: AbortSignal;
}

/** A host with a thousand containers lists them in about 2 MB. */
const longestAnswerBytes = 4 * 1024 * 1024;

export class DockerConnection {
  readonly socketPath: string;
  readonly #clock: Clock;
  readonly #signal: AbortSignal | undefined;
  readonly #docker: Docker;

  constructor({ socketPath, clock, signal }: ConnectionOptions) {
    this.socketPath = socketPath;
    this.#clock = clock;
    this.#signal = signal;
    // Kept connections outlive the engine and would fail the first calls to its successor.
    const agent = new Agent({ keepAlive: false });
    // `host` and `timeout` undefined: the environment of the agent must not redirect it to another engine.
    const options = { socketPath, agent, host: undefined, port: undefined, timeout: undefined };
    this.#docker = new Docker({ ...options, protocol: 'http' });
  }

  async call<T>(call: Call<T>): Promise<Answer<T>> {
    return this.#within<T>(call.deadlineMs, call, async (signal) => {
      const response = await this.#request(call, signal);
      const text = await readBody(response, signal);
      const status = response.statusCode ?? 0;
      if (status >= 400) return { ok: false, failure: failureOfStatus(status, text, call) };
      const parsed = call.schema.safeParse(text === '' ? undefined : JSON.parse(text));
      if (parsed.success) return { ok: true, value: parsed.data };
      const issue = parsed.error.issues[0];
      const where = issue === undefined ? '' : `${issue.path.join('.') || 'the answer'}: ${issue.message}`;
      return garbled(`${call.method} ${call.path} answered what this agent cannot read (${where})`, status);
    });
  }

  /** An answer without end; only its beginning has a deadline. Ends when `signal` aborts. */
  async open(
    call: Pick<Call<unknown>, 'path' | 'query' | 'deadlineMs'>,
    signal: AbortSignal,
  ): Promise<Answer<IncomingMessage>> {
    const request = { ...call, method: 'GET' as const };
    return this.#within(call.deadlineMs, request, async (deadline) => {
      const life = new AbortController();
      const end = () => life.abort();
      deadline.addEventListener('abort', end, { once: true });
      signal.addEventListener('abort', end, { once: true });
      if (signal.aborted || deadline.aborted) end();
      const response = await this.#request(request, life.signal);
      const status = response.statusCode ?? 0;
      if (status >= 400) {
        const text = await readBody(response, deadline);
        return { ok: false, failure: failureOfStatus(status, text, request) };
      }
      deadline.removeEventListener('abort', end);
      response.once('close', () => signal.removeEventListener('abort', end));
      life.signal.addEventListener('abort', () => response.destroy(), { once: true });
      return { ok: true, value: response };
    });
  }

  async #within<T>(
    deadlineMs: number,
    call: Pick<Call<unknown>, 'method' | 'path'>,
    work: (signal: AbortSignal) => Promise<Answer<T>>,
  ): Promise<Answer<T>> {
    const deadline = new AbortController();
    const answered = new AbortController();
    this.#clock.sleep(deadlineMs, answered.signal).then(
      () => deadline.abort(),
      // Answered in time.
      () => undefined,
    );
    const signals = this.#signal === undefined ? [deadline.signal] : [deadline.signal, this.#signal];
    try {
      return await work(AbortSignal.any(signals));
    } catch (error) {
      if (deadline.signal.aborted) {
        const reason = `${call.method} ${call.path} got no answer within ${Math.round(deadlineMs)} ms`;
        return { ok: false, failure: { kind: 'timed-out', status: null, reason } };
      }
      if (this.#signal?.aborted === true) {
        const reason = `${call.method} ${call.path} was given up because the agent stops`;
        return { ok: false, failure: { kind: 'unreachable', status: null, reason } };
      }
      return { ok: false, failure: failureOfError(error, call, this.socketPath) };
    } finally {
      answered.abort();
    }
  }

  #request(
    call: Pick<Call<unknown>, 'method' | 'path' | 'query' | 'body'>,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const { promise, resolve, reject } = deferred<IncomingMessage>();
    if (signal.aborted) reject(signal.reason);
    // Every status arrives as an answer, so that its body is read under the same bound and deadline.
    const dial = {
      path: `${call.path}?`,
      method: call.method,
      isStream: true,
      abortSignal: signal,
      statusCodes: everyStatus,
      options: { _query: call.query ?? {}, _body: call.body ?? {} },
    };
    // Should the engine answer to nobody, the deadline ends the wait.
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    this.#docker.modem.dial(dial, (error: unknown, response: unknown) => {
      if (response instanceof IncomingMessage) resolve(response);
      else reject(error);
    });
    return promise;
  }
}

const everyStatus: Readonly<Record<number, true>> = Object.fromEntries(
  Array.from({ length: 500 }, (_, index) => [index + 100, true as const]),
);

class TooLong extends Error {}

async function readBody(response: IncomingMessage, signal: AbortSignal): Promise<string> {
  const end = () => response.destroy(signal.reason instanceof Error ? signal.reason : undefined);
  signal.addEventListener('abort', end, { once: true });
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > longestAnswerBytes) {
        throw new TooLong(`the answer is longer than ${longestAnswerBytes} bytes`);
      }
      chunks.push(chunk);
    }
  } finally {
    signal.removeEventListener('abort', end);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function garbled(reason: string, status: number): Answer<never> {
  return { ok: false, failure: { kind: 'garbled', status, reason } };
}

function deferred<T>() {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((whenDone, whenFailed) => {
    resolve = whenDone;
    reject = whenFailed;
  });
  return { promise, resolve, reject };
}
