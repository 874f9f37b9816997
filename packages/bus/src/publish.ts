/** Two ways to tell: core NATS, which may lose it, and a stream, which confirms that it has stored it. */
import { headers } from '@nats-io/transport-node';
import { headerNames, type Notice, noticeSubject } from '@nautilus/contracts';
import type { NoticeAddress } from './bus.ts';
import { classify } from './classify.ts';
import type { Link } from './link.ts';
import { concrete } from './message.ts';

export function publish(link: Link, contract: Notice, at: NoticeAddress, body: unknown): void {
  const subject = concrete(noticeSubject(contract, at));
  // The client would keep it until the next attempt to dial and then throw it away; better to know.
  if (link.state === 'disconnected' && !link.closing) {
    link.stats.publishesDropped += 1;
    return;
  }
  link.assertUsable(subject);
  try {
    link.nc.publish(subject, JSON.stringify(body));
  } catch (error) {
    throw classify(error, subject);
  }
  link.stats.published += 1;
}

export async function publishDurable(
  link: Link,
  contract: Notice,
  at: NoticeAddress,
  body: unknown,
  options: { messageId: string; timeoutMs?: number },
): Promise<{ sequence: number; duplicate: boolean }> {
  const subject = concrete(noticeSubject(contract, at));
  link.assertUsable(subject);
  const sent = headers();
  sent.set(headerNames.messageId, options.messageId);
  try {
    const stored = await link.orLost(
      link.js.publish(subject, JSON.stringify(body), {
        headers: sent,
        ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
      }),
    );
    link.stats.published += 1;
    return { sequence: stored.seq, duplicate: stored.duplicate };
  } catch (error) {
    throw classify(error, subject);
  }
}
