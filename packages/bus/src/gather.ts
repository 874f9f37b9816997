/** Asks many and says who did not answer. An answer that is missing must be visible, not averaged away. */
import type { Msg } from '@nats-io/transport-node';
import { type Exchange, exchangeSubject, NautilusError } from '@nautilus/contracts';
import type { Address, Gathered, GatherOptions } from './bus.ts';
import { classify } from './classify.ts';
import type { Link } from './link.ts';
import { concrete, parseReply } from './message.ts';
import { encodeRequest, request, requestHeaders } from './request.ts';
import type { InputOf, OutputOf, Schema } from './schema.ts';

const defaultStallMs = 100;

export function gather<Req extends Schema, Res extends Schema>(
  link: Link,
  contract: Exchange<Req, Res>,
  at: Address,
  body: InputOf<Req>,
  options: GatherOptions<OutputOf<Res>>,
): Promise<Gathered<OutputOf<Res>>> {
  return contract.class !== 'api' && options.expected !== undefined
    ? askEach(link, contract, at, body, options, options.expected)
    : askAll(link, contract, at, body, options);
}

/** One subject per host: each is asked on its own, all at once. */
async function askEach<Req extends Schema, Res extends Schema>(
  link: Link,
  contract: Exchange<Req, Res>,
  at: Address,
  body: InputOf<Req>,
  options: GatherOptions<OutputOf<Res>>,
  hosts: readonly string[],
): Promise<Gathered<OutputOf<Res>>> {
  link.assertUsable(`a request to ${hosts.length} hosts`);
  const replies: OutputOf<Res>[] = [];
  const missing: string[] = [];
  const { timeoutMs, signal, epoch } = options;
  const each = {
    timeoutMs,
    ...(signal === undefined ? {} : { signal }),
    ...(epoch === undefined ? {} : { epoch }),
  };
  const answers = await Promise.allSettled(
    hosts.map((host) => request(link, contract, { ...at, host }, body, each)),
  );
  answers.forEach((answer, index) => {
    if (answer.status === 'fulfilled') {
      replies.push(answer.value);
      return;
    }
    const host = hosts[index] ?? '';
    link.log.warn({ host, error: answer.reason }, 'bus: no answer to a gathered request');
    missing.push(host);
  });
  return { replies, missing };
}

/** One subject, many who answer: ends at the count, or when the answers stall, or when the time is up. */
async function askAll<Req extends Schema, Res extends Schema>(
  link: Link,
  contract: Exchange<Req, Res>,
  at: Address,
  body: InputOf<Req>,
  options: GatherOptions<OutputOf<Res>>,
): Promise<Gathered<OutputOf<Res>>> {
  const subject = concrete(exchangeSubject(contract, at));
  const { expected, who, timeoutMs, signal } = options;
  if (expected !== undefined && who === undefined)
    throw new RangeError(
      `gather on ${subject}: \`expected\` needs \`who\`, which names the sender of a reply`,
    );
  const count = options.count ?? expected?.length;
  const replies: OutputOf<Res>[] = [];
  link.stats.requests += 1;
  try {
    link.assertUsable(subject);
    const answers = await link.nc.requestMany(subject, encodeRequest(contract, body, subject), {
      strategy: count === undefined ? 'stall' : 'count',
      ...(count === undefined ? { stall: options.stallMs ?? defaultStallMs } : { maxMessages: count }),
      maxWait: timeoutMs,
      headers: requestHeaders(link, timeoutMs, options.epoch === undefined ? {} : { epoch: options.epoch }),
    });
    for await (const answer of untilEnded(link, answers, subject, signal)) {
      try {
        replies.push(parseReply(contract.response, answer, subject));
      } catch (error) {
        link.log.warn({ subject, error }, 'bus: one of the gathered answers is an error');
      }
    }
  } catch (error) {
    const fault = classify(error, subject);
    // Nobody there is an answer of its own: everybody is missing.
    if (fault.code !== 'unavailable' || link.state !== 'connected') {
      link.stats.requestErrors += 1;
      throw fault;
    }
  }
  if (expected === undefined || who === undefined) return { replies, missing: [] };
  const answered = new Set(replies.map(who));
  return { replies, missing: expected.filter((name) => !answered.has(name)) };
}

/** The answers, cut short with an error when the caller cancels or the connection is lost. */
async function* untilEnded(
  link: Link,
  answers: AsyncIterable<Msg>,
  subject: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Msg> {
  let end: (reason: NautilusError) => void = () => undefined;
  const ended = new Promise<never>((_, reject) => {
    end = reject;
  });
  // It may end while nobody waits, between two answers; the next wait reports it.
  ended.catch(() => undefined);
  const cancel = (): void =>
    end(new NautilusError({ code: 'cancelled', message: `the caller cancelled ${subject}` }));
  const forget = link.untilLost(end);
  signal?.addEventListener('abort', cancel, { once: true });
  if (signal?.aborted === true) cancel();
  const iterator = answers[Symbol.asyncIterator]();
  try {
    while (true) {
      const next = await Promise.race([iterator.next(), ended]);
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    forget();
    signal?.removeEventListener('abort', cancel);
    // Not awaited: it waits for the answer that is pending, which the client ends at its own time-out.
    iterator
      .return?.()
      .catch((error: unknown) => link.log.debug({ error, subject }, 'bus: a gather ended late'));
  }
}
