// A lock that ends with its holder: the kernel drops a flock when the process dies, in any PID namespace.

import { native } from './addon.ts';
import { checkPath } from './check.ts';
import { Descriptor } from './descriptor.ts';

/** The lock, held until the descriptor is closed; null when another holder has it. Never waits. */
export function tryLockFile(path: string): Descriptor | null {
  const fd = native.lockFileTry(checkPath('path', path));
  return fd === null ? null : Descriptor.fromNative(fd);
}
