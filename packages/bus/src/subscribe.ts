/** Notices in: parsed by their contract, handled in order, and awaited when the subscription is drained. */
import type { Msg } from '@nats-io/transport-node';
import { type Notice, noticeSubject, parseSubject } from '@nautilus/contracts';
import type { NoticeAddress, NoticeInfo, SubscribeOptions, Subscription } from './bus.ts';
import type { Link } from './link.ts';
import { parseBody } from './message.ts';
import type { OutputOf, Schema } from './schema.ts';
import { openSubscription, Sequence, stopSubscription } from './subscription.ts';

const defaultSlow = 1_024;

export function noticeInfo(contract: Notice, subject: string): NoticeInfo {
  const parts = parseSubject(subject);
  if (parts === null) return { subject, host: '', party: '', topic: subject };
  // A job has no party: its topic begins where the others have theirs.
  if (contract.class === 'job')
    return { subject, host: parts.host, party: '', topic: [parts.party, ...parts.rest].join('.') };
  return { subject, host: parts.host, party: parts.party, topic: parts.rest.join('.') };
}

export async function subscribe<Body extends Schema>(
  link: Link,
  contract: Notice<Body>,
  at: NoticeAddress,
  handler: (body: OutputOf<Body>, info: NoticeInfo) => void | Promise<void>,
  options: SubscribeOptions = {},
): Promise<Subscription> {
  const subject = noticeSubject(contract, at);
  link.assertUsable(subject);
  const handle = async (message: Msg): Promise<void> => {
    const body = parseBody(contract.body, message.data);
    if (!body.ok) {
      link.stats.invalidMessages += 1;
      link.log.warn(
        { subject: message.subject, fault: body.fault },
        'bus: a notice does not match its contract',
      );
      return;
    }
    try {
      link.stats.handled += 1;
      await handler(body.value, noticeInfo(contract, message.subject));
    } catch (error) {
      link.stats.handlerErrors += 1;
      link.log.error({ subject: message.subject, error }, 'bus: the handler of a notice failed');
    }
  };
  const sequence = new Sequence(handle, options.slow ?? defaultSlow, (pending) => {
    link.stats.slowConsumers += 1;
    link.log.warn({ subject, pending }, 'bus: the handler of a notice is slower than its messages');
  });
  const opened = await openSubscription(link, subject, {
    ...(options.queue === undefined ? {} : { queue: options.queue }),
    take: (message) => sequence.push(message),
  });
  let draining: Promise<void> | null = null;
  const subscription: Subscription = {
    subject,
    drain() {
      draining ??= (async () => {
        await stopSubscription(link, opened);
        await sequence.idle();
        untrack();
      })();
      return draining;
    },
  };
  const untrack = link.track(subscription);
  return subscription;
}
