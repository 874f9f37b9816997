/** A bus without NATS: requests go to functions of the test, checked by their contracts as the real one does. */
import type { Address, Bus, BusState, Endpoint, RequestContext, RequestOptions } from '@nautilus/bus';
import {
  dataSubject,
  type ErrorCode,
  type Exchange,
  exchangeSubject,
  type Fault,
  NautilusError,
  type Notice,
  noticeSubject,
  unwrap,
} from '@nautilus/contracts';
import type { ClientBus } from '../client-bus.ts';

type AnswerTo = (body: unknown, at: Address) => unknown;

export function refusal(code: ErrorCode, message = `refused by the test with ${code}`): NautilusError {
  const fault: Fault = { code, message };
  return new NautilusError(fault);
}

function inTime(
  answering: Promise<unknown>,
  subject: string,
  options: RequestOptions = {},
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(refusal('cancelled', `the caller cancelled ${subject}`));
    const late = (): void => reject(refusal('timeout', `no answer on ${subject}`));
    const timer = setTimeout(late, options.timeoutMs ?? 5_000);
    options.signal?.addEventListener('abort', leave, { once: true });
    answering.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', leave);
    });
  });
}

export class FakeBus implements ClientBus {
  state: BusState = 'connected';
  /** Subjects of what was asked, in order. */
  readonly asked: string[] = [];
  readonly #answers = new Map<Exchange, AnswerTo>();
  readonly #served: Endpoint[] = [];
  readonly #subscribed: { subject: string; handle: (body: unknown) => void }[] = [];
  readonly #onReconnect = new Set<() => void | Promise<void>>();

  answer(contract: Exchange, answer: AnswerTo): void {
    this.#answers.set(contract, answer);
  }

  request: Bus['request'] = async (contract, at, body, options) => {
    const subject = exchangeSubject(contract, at);
    this.asked.push(subject);
    const answer = this.#answers.get(contract);
    if (this.state !== 'connected') throw refusal('unavailable', `not connected, ${subject} was not sent`);
    if (answer === undefined) throw refusal('unavailable', `nobody answers on ${subject}`);
    const parsed = contract.request.safeParse(body);
    if (!parsed.success) throw refusal('invalid_request', parsed.error.message);
    const answering = async (): Promise<unknown> => answer(parsed.data, at);
    const reply = await inTime(answering(), subject, options);
    return contract.response.parse(reply) as never;
  };

  subscribe: Bus['subscribe'] = async (contract, at, handler) => {
    const subject = noticeSubject(contract, at);
    const info = { subject, host: at.host ?? '', party: at.party ?? '', topic: contract.topic };
    const entry = { subject, handle: (body: unknown) => void handler(body as never, info) };
    this.#subscribed.push(entry);
    return {
      subject,
      drain: async () => {
        this.#subscribed.splice(this.#subscribed.indexOf(entry), 1);
      },
    };
  };

  readonly largestPartBytes = 1024;
  readonly #data: { readonly subject: string; readonly take: Parameters<Bus['subscribeData']>[1] }[] = [];

  publishData: Bus['publishData'] = (at, part, bytes) => {
    if (this.state !== 'connected') return false;
    const subject = dataSubject(at);
    for (const entry of [...this.#data]) if (entry.subject === subject) entry.take(part, bytes.slice());
    return true;
  };

  subscribeData: Bus['subscribeData'] = async (at, take) => {
    const entry = { subject: dataSubject(at), take };
    this.#data.push(entry);
    return {
      subject: entry.subject,
      drain: async () => {
        this.#data.splice(this.#data.indexOf(entry), 1);
      },
    };
  };

  flush: Bus['flush'] = async () => undefined;

  serve: Bus['serve'] = async ({ name, endpoints }) => {
    this.#served.push(...endpoints);
    return {
      id: 'fake',
      name,
      drain: async () => {
        for (const endpoint of endpoints) this.#served.splice(this.#served.indexOf(endpoint), 1);
      },
    };
  };

  onReconnect: Bus['onReconnect'] = (callback) => {
    this.#onReconnect.add(callback);
    return () => this.#onReconnect.delete(callback);
  };

  async close(): Promise<void> {
    this.state = 'closed';
  }

  /** What somebody else would get who asked this party. */
  async command<R>(contract: Exchange, party: string, body: unknown, signal?: AbortSignal): Promise<R> {
    const endpoint = this.#served.find((entry) => entry.contract === contract && entry.party === party);
    if (endpoint === undefined) throw refusal('unavailable', `nobody serves ${contract.verb} for ${party}`);
    const context = { signal: signal ?? new AbortController().signal } as RequestContext;
    return unwrap(await endpoint.handle(contract.request.parse(body), context)) as R;
  }

  get served(): number {
    return this.#served.length;
  }

  /** To those who subscribed to exactly this contract and host. */
  publish(contract: Notice, host: string, body: unknown): void {
    const subject = noticeSubject(contract, { host });
    const parsed = contract.body.parse(body);
    for (const entry of [...this.#subscribed]) if (entry.subject === subject) entry.handle(parsed);
  }

  get subscriptions(): number {
    return this.#subscribed.length;
  }

  async reconnect(): Promise<void> {
    this.state = 'connected';
    for (const callback of this.#onReconnect) await callback();
  }
}
