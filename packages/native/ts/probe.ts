// Facts about the host, read and not guessed: what is missing is named with its reason.

import { native } from './addon.ts';
import type { DescriptorLimitDto, HostMemoryDto, HostProbeDto } from './native.ts';

export type HostProbe = HostProbeDto;
export type HostMemory = HostMemoryDto;

/** Fixed facts, for the start of an agent. `totalSource` says whether a cgroup limit made `totalBytes`. */
export function probeHost(): HostProbe {
  return native.probeHost();
}

/** Moving figures of the whole host, cheap enough for every second. */
export function readHostMemory(): HostMemory {
  return native.readHostMemory();
}

/** Raises the soft limit of open files to the hard one: every lease is a descriptor. */
export function raiseDescriptorLimit(): DescriptorLimitDto {
  return native.raiseDescriptorLimit();
}
