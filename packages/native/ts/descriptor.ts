// Owner of one file descriptor: whoever holds it may touch the memory behind it, so it is closed on purpose
// and exactly once. The finalization registry is the alarm for a forgotten one, not the mechanism.

import { native } from './addon.ts';
import { NativeError } from './errors.ts';

interface OwnedFds {
  fd: number;
  readOnlyFd: number | null;
}

const forgotten = new FinalizationRegistry<OwnedFds>((owned) => {
  process.emitWarning(`descriptor ${owned.fd} was garbage collected without close(); it is closed now`, {
    code: 'NAUTILUS_DESCRIPTOR_FORGOTTEN',
  });
  closeFds(owned);
});

function closeFds(owned: OwnedFds): void {
  native.descriptorClose(owned.fd);
  if (owned.readOnlyFd !== null) native.descriptorClose(owned.readOnlyFd);
}

export class Descriptor {
  #owned: OwnedFds | null;

  private constructor(owned: OwnedFds) {
    this.#owned = owned;
    forgotten.register(this, owned, this);
  }

  /** Takes over an fd that the addon has opened. */
  static fromNative(fd: number, readOnlyFd: number | null = null): Descriptor {
    return new Descriptor({ fd, readOnlyFd });
  }

  /** Takes over an fd opened elsewhere: from here on nobody else may close it. */
  static adopt(fd: number): Descriptor {
    native.descriptorAdopt(fd);
    return new Descriptor({ fd, readOnlyFd: null });
  }

  /** An own one for the same memory, from the number that another thread of this process owns and keeps. */
  static duplicate(fd: number): Descriptor {
    return Descriptor.fromNative(native.descriptorDuplicate(fd));
  }

  get fd(): number {
    return this.#open().fd;
  }

  /** The descriptor opened for reading when the object still had a name; null where none is needed. */
  get readOnlyFd(): number | null {
    return this.#open().readOnlyFd;
  }

  get closed(): boolean {
    return this.#owned === null;
  }

  close(): void {
    const owned = this.#owned;
    if (owned === null) return;
    this.#owned = null;
    forgotten.unregister(this);
    closeFds(owned);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #open(): OwnedFds {
    if (this.#owned === null) throw new NativeError('closed', 'descriptor: already closed');
    return this.#owned;
  }
}
