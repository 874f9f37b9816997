/**
 * Every change of a bucket from now on, through one short-lived consumer that this code makes, times and removes
 * itself. The client's own watch survives the loss of its stream without an error (M7), does not say when it is
 * complete (M9), and leaves its consumer behind for five minutes.
 */
import { AckPolicy, DeliverPolicy } from '@nats-io/jetstream';
import { createInbox, type Msg, nanos } from '@nats-io/transport-node';
import { classify } from './classify.ts';
import type { Link } from './link.ts';

export interface Entry {
  readonly key: string;
  readonly revision: number;
  /** Null for the marker of a deletion. */
  readonly data: Uint8Array | null;
}

export interface FeedOptions {
  bucket: string;
  filter: string;
  onEntry(entry: Entry): void;
  /** Once, when no more will come: the consumer is gone or a message was missed. */
  onLost(reason: string): void;
}

export interface Feed {
  close(): Promise<void>;
}

const heartbeatMs = 2_000;
/** A consumer whose process died is removed by the server after this. */
const inactiveMs = 10_000;
/** Heartbeats that may be missed before the feed counts as lost. */
const silentBeats = 3;

/** `$JS.ACK.[<domain>.<account>.]<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>…` */
export function parseAckSubject(subject: string): { revision: number; sequence: number } | null {
  const tokens = subject.split('.');
  const first = tokens.length >= 11 ? 4 : 2;
  const [revision, sequence] = tokens.slice(first + 3).map(Number);
  if (tokens[0] !== '$JS' || revision === undefined || sequence === undefined) return null;
  return [revision, sequence].every(Number.isSafeInteger) ? { revision, sequence } : null;
}

export async function openFeed(link: Link, options: FeedOptions): Promise<Feed> {
  const stream = `KV_${options.bucket}`;
  const prefix = `$KV.${options.bucket}.`;
  const name = `watch-${link.options.newId()}`;
  const inbox = createInbox(link.options.inboxPrefix);
  let nextSequence = 1;
  let over = false;
  let silence: NodeJS.Timeout | undefined;

  const lose = (reason: string): void => {
    if (over) return;
    over = true;
    clearTimeout(silence);
    options.onLost(reason);
  };
  const heard = (): void => {
    if (over) return;
    clearTimeout(silence);
    silence = setTimeout(() => lose('no heartbeat of the consumer'), heartbeatMs * silentBeats);
  };
  const takeStatus = (message: Msg): void => {
    const stalled = message.headers?.get('Nats-Consumer-Stalled') ?? '';
    if (stalled !== '') link.nc.publish(stalled);
    // With a reply it asks whether we keep up, without one it is an idle heartbeat.
    if (message.reply !== undefined && message.reply !== '') message.respond();
    else if (message.headers?.code !== 100) lose(message.headers?.description ?? 'the consumer ended');
  };
  const takeEntry = (message: Msg): void => {
    const place = parseAckSubject(message.reply ?? '');
    if (place === null || place.sequence !== nextSequence) {
      lose(`message ${nextSequence} was missed`);
      return;
    }
    nextSequence += 1;
    const operation = message.headers?.get('KV-Operation') ?? '';
    const marker = operation === 'DEL' || operation === 'PURGE';
    options.onEntry({
      key: message.subject.slice(prefix.length),
      revision: place.revision,
      data: marker ? null : message.data,
    });
  };

  const subscription = link.nc.subscribe(inbox, {
    callback: (error, message) => {
      if (over) return;
      if (error !== null) {
        lose(error.message);
        return;
      }
      heard();
      if (message.subject === inbox) takeStatus(message);
      else takeEntry(message);
    },
  });
  const remove = async (): Promise<void> => {
    over = true;
    clearTimeout(silence);
    subscription.unsubscribe();
    if (link.state !== 'connected') return;
    try {
      await (await link.manager()).consumers.delete(stream, name);
    } catch (error) {
      // Gone with the server's memory, or removed by the server itself once it has been silent for a while.
      link.log.debug({ error, stream, consumer: name }, 'bus: the consumer of a watch was not removed');
    }
  };
  try {
    await (await link.manager()).consumers.add(stream, {
      name,
      deliver_subject: inbox,
      deliver_policy: DeliverPolicy.New,
      ack_policy: AckPolicy.None,
      filter_subject: `${prefix}${options.filter}`,
      flow_control: true,
      idle_heartbeat: nanos(heartbeatMs),
      inactive_threshold: nanos(inactiveMs),
      mem_storage: true,
      num_replicas: 1,
    });
    heard();
  } catch (error) {
    await remove();
    throw classify(error, `the bucket "${options.bucket}"`);
  }
  return { close: remove };
}
