/** Bytes without a contract, for benchmarks: what a round trip costs at least. */
import type { Subscription } from './bus.ts';
import { classify } from './classify.ts';
import type { Link } from './link.ts';
import { openSubscription, stopSubscription } from './subscription.ts';

export async function requestRaw(
  link: Link,
  subject: string,
  bytes: Uint8Array,
  timeoutMs: number,
): Promise<Uint8Array> {
  link.assertUsable(subject);
  try {
    return (await link.nc.request(subject, bytes, { timeout: timeoutMs })).data;
  } catch (error) {
    throw classify(error, subject);
  }
}

export async function respondRaw(
  link: Link,
  subject: string,
  answer: (bytes: Uint8Array) => Uint8Array,
): Promise<Subscription> {
  const opened = await openSubscription(link, subject, {
    take: (message) => void message.respond(answer(message.data)),
  });
  const subscription: Subscription = {
    subject,
    async drain() {
      await stopSubscription(link, opened);
      untrack();
    },
  };
  const untrack = link.track(subscription);
  return subscription;
}
