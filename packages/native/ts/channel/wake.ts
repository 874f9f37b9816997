// How a sleeping process is woken: it keeps one end, and whoever may wake it is handed the other. The two ends are
// sockets because a send on a socket can be told not to wait: with an eventfd or a pipe a hostile sleeper could stop
// its waker for ever (os/wake.h).

import { native } from '../addon.ts';
import { Descriptor } from '../descriptor.ts';
import { NativeError } from '../errors.ts';
import type { NativeWake } from '../native.ts';

export class Wake {
  /** For a peer, through the agent. Whoever has it can wake and nothing else; to be closed when it was sent. */
  readonly signalDescriptor: Descriptor;
  #native: NativeWake | null;
  #callback: (() => void) | null = null;

  /** Made by `createWake`. */
  constructor() {
    const { handle, signalFd } = native.wakeCreate(() => this.#callback?.());
    this.#native = handle;
    this.signalDescriptor = Descriptor.fromNative(signalFd);
  }

  get closed(): boolean {
    return this.#native === null;
  }

  /** One callback, in the event loop; several signals may come as one, and one may come for nothing. */
  onSignal(callback: (() => void) | null): void {
    if (this.#native === null) throw new NativeError('closed', 'wake: already closed');
    this.#callback = callback;
  }

  /** A wake keeps the process alive only after ref(). */
  ref(): void {
    if (this.#native !== null) native.wakeKeepAlive(this.#native, true);
  }

  unref(): void {
    if (this.#native !== null) native.wakeKeepAlive(this.#native, false);
  }

  close(): void {
    const handle = this.#native;
    if (handle === null) return;
    this.#native = null;
    this.#callback = null;
    native.wakeClose(handle);
    this.signalDescriptor.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

export function createWake(): Wake {
  return new Wake();
}

/** Whether a descriptor from somebody else can wake and do nothing else. Everyone asks before keeping one. */
export function isWakeDescriptor(descriptor: Descriptor): boolean {
  return native.wakeCheck(descriptor.fd);
}

/** One system call that never waits. False when the sleeper is gone. */
export function signal(descriptor: Descriptor): boolean {
  return native.wakeSignal(descriptor.fd);
}
