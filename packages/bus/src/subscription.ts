/**
 * A subscription whose end can be waited for. The client's own drain resolves when the server has stopped sending,
 * long before the last message is handled (M2); and its iterators buffer without a bound or a count (M11).
 */
import type { Msg, Subscription as NatsSubscription } from '@nats-io/transport-node';
import { classify } from './classify.ts';
import type { Link } from './link.ts';

export interface ArrivalOptions {
  queue?: string;
  /** Called for each message as it arrives; must not throw and cannot be awaited. */
  take(message: Msg): void;
}

/** Subscribes and resolves when the server knows of it (M5); a refused subject is an error here, not later (M12). */
export async function openSubscription(
  link: Link,
  subject: string,
  options: ArrivalOptions,
): Promise<NatsSubscription> {
  let refused: Error | null = null;
  const subscription = link.nc.subscribe(subject, {
    ...(options.queue === undefined ? {} : { queue: options.queue }),
    callback: (error, message) => {
      if (error === null) options.take(message);
      else refused = error;
    },
  });
  try {
    await link.nc.flush();
  } catch (error) {
    subscription.unsubscribe();
    throw classify(error, subject);
  }
  if (refused !== null) throw classify(refused, subject);
  return subscription;
}

/** All of them or none: half a service would look like an outage of the other half. */
export async function openTogether(
  opening: readonly Promise<NatsSubscription>[],
): Promise<NatsSubscription[]> {
  const settled = await Promise.allSettled(opening);
  const opened = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const refused = settled.find((each) => each.status === 'rejected');
  if (refused === undefined) return opened;
  for (const subscription of opened) subscription.unsubscribe();
  throw refused.reason;
}

/** The server sends no more, and what it had sent has been taken. */
export async function stopSubscription(link: Link, subscription: NatsSubscription): Promise<void> {
  if (subscription.isClosed()) return;
  if (link.state === 'connected') await subscription.drain();
  else subscription.unsubscribe();
}

/** Handles messages one after the other, in their order, and counts when more than `slow` are waiting. */
export class Sequence {
  readonly #handle: (message: Msg) => Promise<void>;
  readonly #slow: number;
  readonly #onSlow: (pending: number) => void;
  #queue: Msg[] = [];
  #waiting = 0;
  #wasSlow = false;
  #running: Promise<void> | null = null;

  constructor(handle: (message: Msg) => Promise<void>, slow: number, onSlow: (pending: number) => void) {
    this.#handle = handle;
    this.#slow = slow;
    this.#onSlow = onSlow;
  }

  push(message: Msg): void {
    this.#queue.push(message);
    this.#waiting += 1;
    const slow = this.#waiting > this.#slow;
    if (slow && !this.#wasSlow) this.#onSlow(this.#waiting);
    this.#wasSlow = slow;
    this.#running ??= this.#run();
  }

  /** Resolves when everything that was pushed is handled. */
  async idle(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  async #run(): Promise<void> {
    // Out of the client's read loop first: a handler must not run inside its callback.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const batch = this.#queue;
      this.#queue = [];
      for (const message of batch) {
        await this.#handle(message);
        this.#waiting -= 1;
      }
    }
    this.#running = null;
  }
}
