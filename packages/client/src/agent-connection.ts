/**
 * One open socket to the agent: requests with ids, answers matched to them, descriptors that never get lost. What the
 * peer sends is checked by its contract; a peer that breaks it is hung up on, because nothing after that means anything.
 */
import {
  type ErrorCode,
  NautilusError,
  type SocketReply,
  type SocketRequest,
  socketReply,
} from '@nautilus/contracts';
import type { Connection, Descriptor } from '@nautilus/native';
import { cancelled } from './cancellation.ts';
import { fromWire, toNautilusError } from './faults.ts';

type ReplyType = Exclude<SocketReply['type'], 'error' | 'ended'>;
type ReplyOf<T extends ReplyType> = Extract<SocketReply, { type: T }>;
type EndedFrame = Extract<SocketReply, { type: 'ended' }>;
type WithoutId<F> = F extends unknown ? Omit<F, 'id'> : never;
export type RequestFrame = WithoutId<SocketRequest>;

export interface Answer<T extends ReplyType> {
  readonly reply: ReplyOf<T>;
  /** The receiver owns them. */
  readonly descriptors: readonly Descriptor[];
}

interface Pending {
  readonly doing: string;
  readonly expected: ReplyType;
  settle(reply: SocketReply, descriptors: readonly Descriptor[]): void;
  fail(error: NautilusError): void;
}

export interface AgentConnectionOptions {
  readonly timeoutMs: number;
  onEnded(frame: EndedFrame): void;
  /** The connection is gone and not by `close()`; says why. */
  onLost(reason: string): void;
}

const decoder = new TextDecoder('utf-8', { fatal: true });
const encoder = new TextEncoder();

export class AgentConnection {
  readonly #connection: Connection;
  readonly #options: AgentConnectionOptions;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #closedBecause: NautilusError | null = null;

  constructor(connection: Connection, options: AgentConnectionOptions) {
    this.#connection = connection;
    this.#options = options;
    connection.onClose((reason) => this.#lose('unavailable', `the agent's socket closed (${reason})`));
    connection.onMessage((payload, descriptors) => this.#receive(payload, descriptors));
  }

  get closed(): boolean {
    return this.#closedBecause !== null;
  }

  /** The answer of the expected type; the agent's refusal is thrown. Given descriptors are sent as duplicates. */
  request<T extends ReplyType>(
    frame: RequestFrame,
    expected: T,
    options: { descriptors?: readonly Descriptor[]; signal?: AbortSignal | undefined } = {},
  ): Promise<Answer<T>> {
    const doing = `${frame.type} on the agent's socket`;
    if (this.#closedBecause !== null) return Promise.reject(this.#closedBecause);
    const { descriptors = [], signal } = options;
    if (signal?.aborted === true) return Promise.reject(cancelled(doing, signal));
    const id = this.#nextId;
    this.#nextId += 1;
    // Whoever takes the entry decides the outcome: descriptors cannot arrive for somebody who has left.
    const fail = (error: NautilusError): void => this.#take(id)?.fail(error);
    const leave = (): void => {
      if (signal !== undefined) fail(cancelled(doing, signal));
    };
    const timer = setTimeout(() => {
      const message = `${doing}: no answer in ${this.#options.timeoutMs} ms`;
      fail(new NautilusError({ code: 'timeout', message }));
    }, this.#options.timeoutMs);
    signal?.addEventListener('abort', leave, { once: true });
    const answer = new Promise<Answer<T>>((resolve, reject) => {
      // The type was compared with the expected one when the answer came.
      const settle: Pending['settle'] = (reply, received) =>
        resolve({ reply: reply as ReplyOf<T>, descriptors: received });
      this.#pending.set(id, { doing, expected, settle, fail: reject });
    });
    try {
      const bytes = encoder.encode(JSON.stringify({ ...frame, id }));
      this.#connection.send(bytes, descriptors);
    } catch (error) {
      fail(toNautilusError(error, doing));
    }
    return answer.finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', leave);
    });
  }

  /** Requests under way fail with the reason; `onLost` is not called. */
  close(reason: NautilusError): void {
    if (this.#closedBecause !== null) return;
    this.#closedBecause = reason;
    this.#connection.close();
    for (const id of [...this.#pending.keys()]) this.#take(id)?.fail(reason);
  }

  #lose(code: ErrorCode, message: string): void {
    if (this.#closedBecause !== null) return;
    this.close(new NautilusError({ code, message }));
    this.#options.onLost(message);
  }

  #violation(message: string): void {
    this.#lose('protocol_violation', `the agent's socket sent what is not the protocol: ${message}`);
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #receive(payload: Uint8Array, descriptors: readonly Descriptor[]): void {
    let isHandedOn = false;
    try {
      if (!this.closed) isHandedOn = this.#dispatch(payload, descriptors);
    } finally {
      if (!isHandedOn) for (const descriptor of descriptors) descriptor.close();
    }
  }

  /** True when somebody has taken the descriptors. */
  #dispatch(payload: Uint8Array, descriptors: readonly Descriptor[]): boolean {
    const frame = parseFrame(payload);
    if (typeof frame === 'string') {
      this.#violation(frame);
      return false;
    }
    const wanted = descriptorsOf(frame);
    if (descriptors.length !== wanted) {
      this.#violation(`"${frame.type}" with ${descriptors.length} descriptors instead of ${wanted}`);
      return false;
    }
    if (frame.type === 'ended') {
      this.#options.onEnded(frame);
      return false;
    }
    if (frame.type === 'error' && frame.id === null) {
      this.#lose('protocol_violation', `the agent did not understand a frame: ${frame.fault.message}`);
      return false;
    }
    return this.#answer(frame, descriptors);
  }

  #answer(frame: Exclude<SocketReply, EndedFrame>, descriptors: readonly Descriptor[]): boolean {
    const id = frame.id ?? 0;
    const pending = this.#take(id);
    if (pending === undefined) {
      // An answer to a request that was given up is late, not wrong.
      if (id >= this.#nextId || id === 0)
        this.#violation(`an answer to request ${id}, which was never asked`);
      return false;
    }
    if (frame.type === 'error') {
      pending.fail(fromWire(frame.fault, pending.doing));
      return false;
    }
    if (frame.type !== pending.expected) {
      const message = `"${frame.type}" as the answer to ${pending.doing}`;
      pending.fail(new NautilusError({ code: 'protocol_violation', message: `the agent sent ${message}` }));
      this.#violation(message);
      return false;
    }
    pending.settle(frame, descriptors);
    return true;
  }
}

/** Payload and ledger for the owner; payload, and what wakes the owner where there is that, for a reader. */
function descriptorsOf(frame: SocketReply): number {
  if (frame.type !== 'segment') return 0;
  return frame.access === 'read-write' || frame.wake === true ? 2 : 1;
}

/** The frame, or what is wrong with it. */
function parseFrame(payload: Uint8Array): SocketReply | string {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(payload));
  } catch (error) {
    return `${payload.length} bytes that are not JSON (${error instanceof Error ? error.message : String(error)})`;
  }
  const parsed = socketReply.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = issue === undefined || issue.path.length === 0 ? 'the frame' : issue.path.join('.');
  return `${path}: ${issue?.message ?? 'does not match its contract'}`;
}
