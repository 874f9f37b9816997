// Test support: channels between processes. Descriptors travel over a Unix socket, as they do through the agent: the
// other side of a channel segment and of a cursor gets them for reading only.

import type { Descriptor } from '../../descriptor.ts';
import type { Connection } from '../../ipc.ts';
import { listen } from '../../ipc.ts';
import { createSegment, mapSegment, reopenReadOnly } from '../../segment.ts';
import { Child } from '../../testing/child.ts';
import { newPath } from '../../testing/sockets.ts';
import { channelBytes } from '../layout.ts';
import { createChannel, type PublisherOptions } from '../publisher.ts';

export interface Letter {
  readonly said: Record<string, number>;
  readonly descriptors: Descriptor[];
}

/** One letter after the other, each with an answer or without. */
export class Post {
  readonly #connection: Connection;
  readonly #arrived: Letter[] = [];
  #awaiting: ((letter: Letter) => void) | null = null;

  constructor(connection: Connection) {
    this.#connection = connection;
    connection.unref();
    connection.onMessage((payload, descriptors) => {
      const letter = { said: JSON.parse(payload.toString()), descriptors };
      const awaiting = this.#awaiting;
      this.#awaiting = null;
      connection.unref();
      if (awaiting === null) this.#arrived.push(letter);
      else awaiting(letter);
    });
  }

  send(said: Record<string, number>, descriptors: readonly Descriptor[] = []): void {
    this.#connection.send(Buffer.from(JSON.stringify(said)), descriptors);
  }

  next(): Promise<Letter> {
    const letter = this.#arrived.shift();
    if (letter !== undefined) return Promise.resolve(letter);
    this.#connection.ref();
    return new Promise((resolve) => {
      this.#awaiting = resolve;
    });
  }

  close(): void {
    this.#connection.close();
  }
}

/** `nautilus`, `rig`, `post` and what its first letter said are there in the script. */
export async function startPeer(script: string): Promise<{ child: Child; post: Post }> {
  const path = newPath();
  let accept: (connection: Connection) => void = () => undefined;
  const accepted = new Promise<Connection>((resolve) => {
    accept = resolve;
  });
  const listener = listen({ path, onConnection: (connection) => accept(connection) });
  const rig = JSON.stringify(new URL('./rig.ts', import.meta.url).href);
  const processes = JSON.stringify(import.meta.url);
  const child = new Child(`
    const rig = await import(${rig});
    const { Post } = await import(${processes});
    const post = new Post(await nautilus.connect({ path: ${JSON.stringify(path)} }));
    const create = (name, bytes) => {
      const segment = nautilus.createSegment({ name, bytes });
      const mapping = nautilus.mapSegment(segment, { access: 'read-write' });
      const granted = nautilus.reopenReadOnly(segment);
      segment.close();
      return { mapping, granted };
    };
    const mapGranted = (descriptor) => {
      const mapping = nautilus.mapSegment(descriptor, { access: 'read-only' });
      descriptor.close();
      return mapping;
    };
    ${script}`);
  const ended = child
    .end()
    .then((end) => Promise.reject(new Error(`the peer ended: ${JSON.stringify(end)}`)));
  const post = new Post(await Promise.race([accepted, ended]));
  ended.catch(() => undefined);
  listener.close();
  return { child, post };
}

/** A subscriber joins by itself, with a cursor and a wake of its own. */
export const joinInPeer = `
  const nonce = 1 + (process.pid & 0xffff);
  const cursor = create('cursor', nautilus.cursorBytes);
  nautilus.createCursor(cursor.mapping, { nonce });
  const wake = nautilus.createWake();
  post.send({ nonce }, [cursor.granted, wake.signalDescriptor]);
  cursor.granted.close();
  const admitted = await post.next();
  const [granted, publisherWake] = admitted.descriptors;
  const subscription = nautilus.openSubscription({
    channel: mapGranted(granted), cursor: cursor.mapping, slot: admitted.said.slot, nonce, wake, publisherWake,
  });
`;

/** The publishing side, in this process. */
export function newChannel(options: PublisherOptions) {
  using segment = createSegment({ name: 'channel', bytes: channelBytes(options) });
  const mapping = mapSegment(segment, { access: 'read-write' });
  return { publisher: createChannel(mapping, options), granted: reopenReadOnly(segment) };
}

/** Lets in the peer that runs `joinInPeer`. */
export async function admit(channel: ReturnType<typeof newChannel>, post: Post) {
  const { said, descriptors } = await post.next();
  const [cursor, wake] = descriptors;
  if (cursor === undefined || wake === undefined) throw new Error('no descriptors');
  const mapping = mapSegment(cursor, { access: 'read-only' });
  const { slot } = channel.publisher.admit({ nonce: said['nonce'] ?? 0, cursor: mapping, wake });
  post.send({ slot }, [channel.granted]);
  const close = () => {
    channel.publisher.remove(slot);
    mapping.close();
    cursor.close();
    wake.close();
    post.close();
  };
  return { slot, close };
}
