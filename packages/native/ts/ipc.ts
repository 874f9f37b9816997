// Connections of the host agent with its containers: frames over a Unix socket, with descriptors beside them
// (SCM_RIGHTS) and the peer's identity from the kernel. The end of the socket is how a dead holder is noticed.

import { native } from './addon.ts';
import { checkPath } from './check.ts';
import { Descriptor } from './descriptor.ts';
import { invalidArgument, NativeError } from './errors.ts';
import type { NativeConnection, NativeListener, PeerDto } from './native.ts';

export type Peer = PeerDto;
/** 'peer': the other side is gone; 'local': close() here; else what was wrong with its bytes. */
export type CloseReason = 'peer' | 'local' | (string & {});

const defaultMaxFrameBytes = 65536;
const hardMaxFrameBytes = 2 ** 30;
const connectRetryMs = 10;
const connectPatienceMs = 1000;

export interface Connection {
  readonly peer: Peer;
  readonly closed: boolean;
  /** Never blocks: queues up to 1 MiB, then throws `backpressure`. Descriptors may be closed right after. */
  send(payload: Uint8Array, descriptors?: readonly Descriptor[]): void;
  /** Frames are read from the first call on; the receiver owns the descriptors. */
  onMessage(callback: (payload: Buffer, descriptors: Descriptor[]) => void): void;
  onClose(callback: (reason: CloseReason) => void): void;
  /** What is still queued is dropped. */
  close(): void;
  /** An open connection keeps the process alive unless unref'ed. */
  ref(): void;
  unref(): void;
}

export interface Listener {
  readonly path: string;
  readonly closed: boolean;
  /** Also removes the socket file; accepted connections stay. */
  close(): void;
  ref(): void;
  unref(): void;
}

class SocketConnection implements Connection {
  readonly peer: Peer;
  readonly #native: NativeConnection;
  #closeReason: CloseReason | null = null;
  #onMessage: ((payload: Buffer, descriptors: Descriptor[]) => void) | null = null;
  #onClose: ((reason: CloseReason) => void) | null = null;

  constructor(connection: NativeConnection) {
    this.#native = connection;
    this.peer = native.connectionPeer(connection);
    native.connectionStart(
      connection,
      (payload, fds) => {
        const descriptors = fds.map((fd) => Descriptor.fromNative(fd));
        this.#onMessage?.(payload, descriptors);
      },
      (reason) => {
        this.#closeReason = reason;
        this.#onClose?.(reason);
      },
    );
  }

  get closed(): boolean {
    return this.#closeReason !== null;
  }

  send(payload: Uint8Array, descriptors: readonly Descriptor[] = []): void {
    if (!(payload instanceof Uint8Array)) throw invalidArgument('payload', 'a Uint8Array', payload);
    if (this.closed) throw new NativeError('closed', `connection: already closed (${this.#closeReason})`);
    native.connectionSend(
      this.#native,
      payload,
      descriptors.map((descriptor) => descriptor.fd),
    );
  }

  onMessage(callback: (payload: Buffer, descriptors: Descriptor[]) => void): void {
    this.#onMessage = callback;
    if (!this.closed) native.connectionResume(this.#native);
  }

  onClose(callback: (reason: CloseReason) => void): void {
    this.#onClose = callback;
    if (this.#closeReason !== null) this.#announceClose(this.#closeReason);
  }

  close(): void {
    if (this.closed) return;
    this.#closeReason = 'local';
    native.connectionClose(this.#native);
    if (this.#onClose !== null) this.#announceClose('local');
  }

  ref(): void {
    if (!this.closed) native.connectionKeepAlive(this.#native, true);
  }

  unref(): void {
    if (!this.closed) native.connectionKeepAlive(this.#native, false);
  }

  /** Later, so that a callback never runs inside the call that caused it. */
  #announceClose(reason: CloseReason): void {
    queueMicrotask(() => this.#onClose?.(reason));
  }
}

class SocketListener implements Listener {
  readonly path: string;
  #native: NativeListener | null;

  constructor(path: string, listener: NativeListener) {
    this.path = path;
    this.#native = listener;
  }

  get closed(): boolean {
    return this.#native === null;
  }

  close(): void {
    const listener = this.#native;
    if (listener === null) return;
    this.#native = null;
    native.listenerClose(listener);
  }

  ref(): void {
    if (this.#native !== null) native.listenerKeepAlive(this.#native, true);
  }

  unref(): void {
    if (this.#native !== null) native.listenerKeepAlive(this.#native, false);
  }
}

function checkMaxFrameBytes(value: number): number {
  if (!Number.isInteger(value) || value < 1 || value > hardMaxFrameBytes) {
    throw invalidArgument('maxFrameBytes', `a whole number from 1 to ${hardMaxFrameBytes}`, value);
  }
  return value;
}

/** A stale socket file is replaced; one that somebody serves is `address_in_use`. */
export function listen(options: {
  path: string;
  /** Permission bits of the socket file, default 0600. */
  mode?: number;
  /** Longest payload accepted or sent, default 64 KiB. */
  maxFrameBytes?: number;
  onConnection: (connection: Connection) => void;
}): Listener {
  const { mode = 0o600, maxFrameBytes = defaultMaxFrameBytes, onConnection } = options;
  if (!Number.isInteger(mode) || mode < 0 || mode > 0o777) {
    throw invalidArgument('mode', 'permission bits from 0 to 0o777', mode);
  }
  const path = checkPath('path', options.path);
  const listener = native.socketListen(path, mode, checkMaxFrameBytes(maxFrameBytes), (connection) =>
    onConnection(new SocketConnection(connection)),
  );
  return new SocketListener(path, listener);
}

export async function connect(options: { path: string; maxFrameBytes?: number }): Promise<Connection> {
  const path = checkPath('path', options.path);
  const maxFrameBytes = checkMaxFrameBytes(options.maxFrameBytes ?? defaultMaxFrameBytes);
  for (let waitedMs = 0; ; waitedMs += connectRetryMs) {
    try {
      return new SocketConnection(native.socketConnect(path, maxFrameBytes));
    } catch (error) {
      // A Unix socket connects at once or not at all; only a full backlog is worth waiting for.
      const isBacklogFull = error instanceof NativeError && error.code === 'backpressure';
      if (!isBacklogFull || waitedMs >= connectPatienceMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, connectRetryMs));
    }
  }
}
