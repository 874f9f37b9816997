// What became of a mapping in the devices that were given it: each either shares the very bytes, holds a copy, or has
// nothing, and the answer is what happened and not what was hoped for.

import { invalidArgument, NativeError } from '../errors.ts';
import type { Mapping } from '../mapping.ts';

/** What a device makes of a mapping. */
export interface ImportedMemory {
  readonly shared: boolean;
  /** Why not. */
  readonly reason: string | null;
  close(): void;
}

export interface ImportingDevice<Memory extends ImportedMemory = ImportedMemory> {
  readonly id: string;
  readonly kind: string;
  readonly import: (mapping: Mapping) => Memory;
}

export interface Sharing {
  /** Ids of the devices that see the very bytes of the buffer. */
  readonly shared: readonly string[];
  /** At least one device works on a copy. */
  readonly copied: boolean;
  /** Why not every device shares; null when each does, and there is one. */
  readonly reason: string | null;
}

interface Outcome<Memory> {
  readonly kind: string;
  readonly memory: Memory | null;
  readonly reason: string | null;
}

/** A device that is lost or full is a fact to report; everything else is a mistake of the caller or a bug. */
function isRefusal(error: unknown): error is NativeError {
  return (
    error instanceof NativeError &&
    (error.code.startsWith('device_') ||
      error.code === 'out_of_memory' ||
      error.code === 'too_large' ||
      error.code === 'unsupported')
  );
}

export class Imports<Memory extends ImportedMemory = ImportedMemory> {
  readonly mapping: Mapping;
  readonly #outcomes = new Map<string, Outcome<Memory>>();

  private constructor(mapping: Mapping) {
    this.mapping = mapping;
  }

  /** Hands the whole mapping to each device, once; blocks in it are found by their offset. Close it before the mapping. */
  static of<Memory extends ImportedMemory>(
    mapping: Mapping,
    devices: readonly ImportingDevice<Memory>[],
  ): Imports<Memory> {
    const imports = new Imports<Memory>(mapping);
    try {
      for (const device of devices) imports.#add(device);
    } catch (error) {
      imports.close();
      throw error;
    }
    return imports;
  }

  /** Null when the device was not given or has nothing. */
  on(deviceId: string): Memory | null {
    return this.#outcomes.get(deviceId)?.memory ?? null;
  }

  /** `madeFor`: the kind of device without which there is a reason to tell. */
  sharing(madeFor: string | null = null): Sharing {
    const shared: string[] = [];
    const reasons: string[] = [];
    let copied = false;
    let hasKind = madeFor === null;
    for (const [id, { kind, memory, reason }] of this.#outcomes) {
      if (kind === madeFor) hasKind = true;
      if (memory?.shared === true) {
        shared.push(id);
        continue;
      }
      if (memory !== null) copied = true;
      reasons.push(`${id}: ${memory === null ? 'not imported' : 'copied'}, ${reason ?? 'without a reason'}`);
    }
    if (!hasKind) reasons.push(`made for a ${madeFor} device, and none was given`);
    else if (this.#outcomes.size === 0) reasons.push('no device was given');
    return { shared, copied, reason: reasons.length === 0 ? null : reasons.join('; ') };
  }

  close(): void {
    for (const { memory } of this.#outcomes.values()) memory?.close();
    this.#outcomes.clear();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #add(device: ImportingDevice<Memory>): void {
    const { id, kind } = device;
    if (this.#outcomes.has(id)) throw invalidArgument('devices', 'each device once', id);
    try {
      const memory = device.import(this.mapping);
      this.#outcomes.set(id, { kind, memory, reason: memory.reason });
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.#outcomes.set(id, { kind, memory: null, reason: error.message });
    }
  }
}
