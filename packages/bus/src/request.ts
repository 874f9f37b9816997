/** Asks once and waits for the answer, the deadline, the caller's change of mind or the loss of the connection. */
import { headers, type Msg } from '@nats-io/transport-node';
import { type Exchange, exchangeSubject, headerNames, NautilusError } from '@nautilus/contracts';
import type { Address, RequestOptions } from './bus.ts';
import { classify } from './classify.ts';
import type { Link } from './link.ts';
import { concrete, parseReply } from './message.ts';
import type { InputOf, OutputOf, Schema } from './schema.ts';

const encoder = new TextEncoder();

export const defaultTimeoutMs = 5_000;

/** The body as bytes, refused here already when the receiver would refuse it. */
export function encodeRequest(contract: Exchange, body: unknown, subject: string): Uint8Array {
  const bytes = encoder.encode(JSON.stringify(body));
  if (bytes.length <= contract.maximumBytes) return bytes;
  throw new NautilusError({
    code: 'message_too_large',
    message: `${bytes.length} bytes for ${subject}, which takes at most ${contract.maximumBytes}`,
    details: { bytes: bytes.length, maximumBytes: contract.maximumBytes },
  });
}

export function requestHeaders(
  link: Link,
  timeoutMs: number,
  options: Pick<RequestOptions, 'requestId' | 'epoch' | 'traceparent'>,
) {
  const sent = headers();
  sent.set(headerNames.requestId, options.requestId ?? link.options.newId());
  sent.set(headerNames.deadline, String(Math.ceil(link.options.clock.now() + timeoutMs)));
  if (options.epoch !== undefined) sent.set(headerNames.epoch, String(options.epoch));
  if (options.traceparent !== undefined) sent.set(headerNames.traceparent, options.traceparent);
  return sent;
}

export async function request<Req extends Schema, Res extends Schema>(
  link: Link,
  contract: Exchange<Req, Res>,
  at: Address,
  body: InputOf<Req>,
  options: RequestOptions = {},
): Promise<OutputOf<Res>> {
  const subject = concrete(exchangeSubject(contract, at));
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
  link.stats.requests += 1;
  try {
    const bytes = encodeRequest(contract, body, subject);
    link.assertUsable(subject);
    const sending = () =>
      link.nc.request(subject, bytes, {
        timeout: timeoutMs,
        headers: requestHeaders(link, timeoutMs, options),
      });
    const reply = await orGiveUp(link, sending, subject, options.signal);
    return parseReply(contract.response, reply, subject);
  } catch (error) {
    link.stats.requestErrors += 1;
    throw classify(error, subject);
  }
}

/** The client cannot take a request back, so its promise is left behind when something else ends the wait first. */
function orGiveUp(
  link: Link,
  sending: () => Promise<Msg>,
  subject: string,
  signal: AbortSignal | undefined,
): Promise<Msg> {
  return new Promise((resolve, reject) => {
    const cancelled = (): void =>
      settle(() =>
        reject(new NautilusError({ code: 'cancelled', message: `the caller cancelled ${subject}` })),
      );
    if (signal?.aborted === true) {
      reject(
        new NautilusError({ code: 'cancelled', message: `${subject} was cancelled before it was sent` }),
      );
      return;
    }
    const forget = link.untilLost((reason) => settle(() => reject(reason)));
    const settle = (outcome: () => void): void => {
      forget();
      signal?.removeEventListener('abort', cancelled);
      outcome();
    };
    signal?.addEventListener('abort', cancelled, { once: true });
    sending().then(
      (reply) => settle(() => resolve(reply)),
      (error: unknown) => settle(() => reject(error)),
    );
  });
}
