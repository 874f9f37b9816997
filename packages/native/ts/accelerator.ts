// Work on blocks by a device while there is one, and by the host when there is none any more: a device that fails or is
// lost in the middle costs time and no data, because everything it was asked to do can be done again from the start.

import type { BlockMove, Device } from './device.ts';
import type { DeviceBuffer } from './device-buffer.ts';
import { NativeError } from './errors.ts';
import type { Mapping } from './mapping.ts';

export interface AcceleratorOptions {
  /** Null: there is none on this machine. */
  readonly device: Device | null;
  /** The device of kind `host`, which is always there. */
  readonly host: Device;
  /** Told once, with the reason. */
  readonly onFallback?: (reason: string) => void;
}

export interface BytesOf {
  readonly offset: number;
  readonly bytes: number;
}

export class Accelerator {
  readonly #host: Device;
  readonly #onFallback: (reason: string) => void;
  #device: Device | null;
  #reason: string | null;
  #tail: Promise<unknown> = Promise.resolve();

  constructor({ device, host, onFallback = () => undefined }: AcceleratorOptions) {
    this.#host = host;
    this.#device = device;
    this.#reason = device === null ? 'no device was given' : null;
    this.#onFallback = onFallback;
    device?.onLost((reason) => this.#fallBack(device, reason));
  }

  /** The id of what does the work now. */
  get worksOn(): string {
    return (this.#device ?? this.#host).id;
  }

  /** Why that is the host; null while the device works. */
  get reason(): string | null {
    return this.#reason;
  }

  /** The device joins in only where it sees the very bytes: a copy would have to be carried back and forth. */
  import(mapping: Mapping): AcceleratedMemory {
    const onHost = this.#host.import(mapping);
    const device = this.#device;
    if (device === null) return new AcceleratedMemory(this, onHost, null, this.#reason);
    try {
      const onDevice = device.import(mapping);
      if (onDevice.shared) return new AcceleratedMemory(this, onHost, onDevice, null);
      onDevice.close();
      return new AcceleratedMemory(this, onHost, null, onDevice.reason);
    } catch (error) {
      if (!isFailure(error)) {
        onHost.close();
        throw error;
      }
      this.#fallBack(device, error.message);
      return new AcceleratedMemory(this, onHost, null, error.message);
    }
  }

  /**
   * One after the other in the order of the calls, whoever does them: work that is done again by the host must not come
   * after work that was asked for later.
   */
  inOrder<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    const answer = this.#tail.then(work);
    this.#tail = answer.catch(() => undefined);
    return answer;
  }

  /** For memory that was imported here, inside `inOrder`. */
  async perform<Answer>(
    memory: AcceleratedMemory,
    work: (device: Device, buffer: DeviceBuffer) => Promise<Answer>,
  ): Promise<Answer> {
    const device = this.#device;
    const { onDevice } = memory;
    if (device !== null && onDevice !== null) {
      try {
        return await work(device, onDevice);
      } catch (error) {
        if (!isFailure(error)) throw error;
        this.#fallBack(device, error.message);
      }
    }
    return work(this.#host, memory.onHost);
  }

  performOnHost<Answer>(work: (host: Device) => Promise<Answer>): Promise<Answer> {
    return work(this.#host);
  }

  #fallBack(device: Device, reason: string): void {
    if (this.#device !== device) return;
    this.#device = null;
    this.#reason = reason;
    this.#onFallback(reason);
  }
}

export class AcceleratedMemory implements Disposable {
  readonly onHost: DeviceBuffer;
  readonly onDevice: DeviceBuffer | null;
  /** Why the device does not work on it; null when it does, or did until it was lost. */
  readonly reason: string | null;
  readonly #accelerator: Accelerator;

  /** Made by `Accelerator.import`. */
  constructor(
    accelerator: Accelerator,
    onHost: DeviceBuffer,
    onDevice: DeviceBuffer | null,
    reason: string | null,
  ) {
    this.#accelerator = accelerator;
    this.onHost = onHost;
    this.onDevice = onDevice;
    this.reason = reason;
  }

  fill(target: BytesOf, value: number): Promise<void> {
    return this.#perform((device, buffer) => device.fill({ buffer, ...target }, value));
  }

  scrub(target: BytesOf): Promise<void> {
    return this.#perform((device, buffer) => device.scrub({ buffer, ...target }));
  }

  /** CRC32C. */
  checksum(target: BytesOf): Promise<number> {
    return this.#perform((device, buffer) => device.checksum({ buffer, ...target }));
  }

  /** Inside this memory; source and target may not overlap. */
  copy(target: BytesOf, from: number): Promise<void> {
    return this.#perform((device, buffer) => device.copy({ buffer, ...target }, { buffer, offset: from }));
  }

  /**
   * One block after the other, as memmove. The device gets each block that does not overlap its new place, by itself;
   * one that does is moved by the host, because half of such a move cannot be done again.
   */
  move(moves: readonly BlockMove[]): Promise<void> {
    const accelerator = this.#accelerator;
    return accelerator.inOrder(async () => {
      for (const move of moves) {
        if (Math.abs(move.from - move.to) < move.bytes)
          await accelerator.performOnHost((host) => host.move(this.onHost, [move]));
        else await accelerator.perform(this, (device, buffer) => device.move(buffer, [move]));
      }
    });
  }

  close(): void {
    this.onDevice?.close();
    this.onHost.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #perform<Answer>(work: (device: Device, buffer: DeviceBuffer) => Promise<Answer>): Promise<Answer> {
    return this.#accelerator.inOrder(() => this.#accelerator.perform(this, work));
  }
}

/** The device's own trouble; anything else is a mistake of the caller and would be one on the host as well. */
function isFailure(error: unknown): error is NativeError {
  return error instanceof NativeError && (error.code === 'device_lost' || error.code === 'device_failed');
}
