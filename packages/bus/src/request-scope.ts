/** What a handler knows of its request beside the body, made on demand: most handlers never look at most of it. */
import type { Msg, MsgHdrs } from '@nats-io/transport-node';
import { headerNames, parseSubject } from '@nautilus/contracts';
import type { Link } from './link.ts';
import { type BusLog, childLog } from './log.ts';
import type { RequestContext } from './serve.ts';

export class Scope implements RequestContext {
  readonly message: Msg;
  readonly requestId: string;
  readonly deadline: number | null;
  replied = false;
  readonly #link: Link;
  #aborter: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #log: BusLog | undefined;
  #ended = false;

  constructor(link: Link, message: Msg) {
    this.#link = link;
    this.message = message;
    const asked = this.#header(headerNames.requestId);
    this.requestId = asked === null || asked === '' ? link.options.newId() : asked;
    this.deadline = wholeNumber(this.#header(headerNames.deadline));
  }

  get subject(): string {
    return this.message.subject;
  }

  get host(): string {
    const parts = parseSubject(this.message.subject);
    return parts === null || parts.class === 'api' ? '' : parts.host;
  }

  get party(): string {
    const parts = parseSubject(this.message.subject);
    if (parts === null) return '';
    // `api.<service>.<noun>.<verb>` has the service where the others have the host.
    return parts.class === 'api' ? parts.host : parts.party;
  }

  get epoch(): number | null {
    return wholeNumber(this.#header(headerNames.epoch));
  }

  get traceparent(): string | null {
    return this.#header(headerNames.traceparent);
  }

  get signal(): AbortSignal {
    if (this.#aborter === undefined) {
      const aborter = new AbortController();
      this.#aborter = aborter;
      if (this.deadline !== null && !this.#ended) {
        const leftMs = Math.max(0, this.deadline - this.#link.options.clock.now());
        this.#timer = setTimeout(() => aborter.abort(), leftMs);
      }
    }
    return this.#aborter.signal;
  }

  get log(): BusLog {
    this.#log ??= childLog(this.#link.log, {
      requestId: this.requestId,
      subject: this.message.subject,
      ...(this.traceparent === null ? {} : { traceparent: this.traceparent }),
    });
    return this.#log;
  }

  reply(body: string, sent: MsgHdrs): void {
    if (this.message.reply !== undefined && this.message.reply !== '')
      this.message.respond(body, { headers: sent });
    this.replied = true;
  }

  abort(): void {
    // Made when it is not there yet, so that a handler that asks for it later finds it aborted.
    void this.signal;
    this.#aborter?.abort();
  }

  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
  }

  #header(name: string): string | null {
    const found = this.message.headers;
    return found?.has(name) === true ? found.get(name) : null;
  }
}

function wholeNumber(text: string | null): number | null {
  if (text === null || !/^\d{1,16}$/.test(text)) return null;
  return Number(text);
}
