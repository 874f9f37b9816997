// Devices seen from JavaScript: found, opened, given memory, and told to work on it. Operations are waited for on a
// thread of their own, so a slow GPU never holds up the event loop; a lost one says so to everybody who asks.

import { native } from './addon.ts';
import { checkBytes, checkOffset } from './check.ts';
import { DeviceBuffer } from './device-buffer.ts';
import { invalidArgument, NativeError } from './errors.ts';
import type { Mapping } from './mapping.ts';
import type {
  DeviceBufferDto,
  DeviceFactsDto,
  DeviceHealthDto,
  DeviceKindDto,
  DeviceResultDto,
  NativeDevice,
} from './native.ts';

export type DeviceFacts = DeviceFactsDto;
export type DeviceHealth = DeviceHealthDto;
export type DeviceKind = DeviceKindDto;

export interface DetectedDevices {
  readonly kinds: readonly DeviceKind[];
  readonly devices: readonly DeviceFacts[];
}

export interface DeviceRange {
  readonly buffer: DeviceBuffer;
  readonly offset: number;
  readonly bytes: number;
}

/** Inside one buffer; its two places may overlap. */
export interface BlockMove {
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
}

// In the order of the native side.
const faults = [
  'none',
  'lost_at_submit',
  'failed_at_submit',
  'lost_at_wait',
  'out_of_memory_at_allocate',
] as const;
export type InjectedFault = (typeof faults)[number];
const operations = { fill: 0, copy: 1, scrub: 2, checksum: 3, move: 4 } as const;
const done = 0;
const lost = 2;
const codes = { 1: 'device_failed', 2: 'device_lost', 3: 'invalid_argument', 4: 'device_failed' } as const;

/** Opens every device for a moment; a kind without any says why. Costs a tenth of a second or more with GPUs. */
export function detectDevices(): DetectedDevices {
  return native.devicesDetect();
}

/** By the id that detection gave it. Blocks while the driver compiles its shaders: once, at start. */
export function openDevice(id: string): Device {
  if (typeof id !== 'string' || id === '') throw invalidArgument('id', 'the id of a device', id);
  const { facts, handle } = native.deviceOpen(id);
  return Device.fromNative(facts, handle);
}

export class Device {
  readonly facts: DeviceFacts;
  readonly #buffers = new Set<DeviceBuffer>();
  readonly #underway = new Set<Promise<DeviceResultDto>>();
  readonly #onLost: ((reason: string) => void)[] = [];
  #lostReason: string | null = null;
  #handle: NativeDevice | null;
  #closing: Promise<void> | null = null;

  private constructor(facts: DeviceFacts, handle: NativeDevice) {
    this.facts = facts;
    this.#handle = handle;
  }

  static fromNative(facts: DeviceFacts, handle: NativeDevice): Device {
    return new Device(facts, handle);
  }

  get id(): string {
    return this.facts.id;
  }

  get kind(): string {
    return this.facts.kind;
  }

  get closed(): boolean {
    return this.#closing !== null;
  }

  /**
   * The whole mapping, in place where the device can: `shared` and `reason` tell. The memory stays until the buffer is
   * closed, even when the mapping is closed before. Where it is a copy, making it blocks.
   */
  import(mapping: Mapping): DeviceBuffer {
    const handle = this.#open();
    return this.#made(() => native.deviceImport(handle, mapping.handle));
  }

  /** Born on the device, and zero. */
  allocate(bytes: number): DeviceBuffer {
    const handle = this.#open();
    checkBytes('bytes', bytes);
    return this.#made(() => native.deviceAllocate(handle, bytes));
  }

  async fill(target: DeviceRange, value: number): Promise<void> {
    if (!Number.isInteger(value) || value < 0 || value > 255) {
      throw invalidArgument('value', 'a byte from 0 to 255', value);
    }
    await this.#run('fill', target.buffer, null, rangeNumbers(target, 0, value));
  }

  /** As many bytes as the target has; the two may not overlap. */
  async copy(target: DeviceRange, source: { buffer: DeviceBuffer; offset: number }): Promise<void> {
    const from = checkOffset('source.offset', source.offset);
    await this.#run('copy', target.buffer, source.buffer, rangeNumbers(target, from, 0));
  }

  /** Writes zeros. */
  async scrub(target: DeviceRange): Promise<void> {
    await this.#run('scrub', target.buffer, null, rangeNumbers(target, 0, 0));
  }

  /** CRC32C (Castagnoli). */
  async checksum(target: DeviceRange): Promise<number> {
    return (await this.#run('checksum', target.buffer, null, rangeNumbers(target, 0, 0))).checksum;
  }

  /** As memmove, one block after the other in the order given. */
  async move(buffer: DeviceBuffer, moves: readonly BlockMove[]): Promise<void> {
    const numbers = new Float64Array(moves.length * 3);
    moves.forEach(({ from, to, bytes }, at) => {
      const name = `moves[${at}]`;
      numbers.set(
        [
          checkOffset(`${name}.from`, from),
          checkOffset(`${name}.to`, to),
          checkOffset(`${name}.bytes`, bytes),
        ],
        at * 3,
      );
    });
    await this.#run('move', buffer, null, numbers);
  }

  health(): DeviceHealth {
    return native.deviceHealth(this.#open());
  }

  /** Called once, soon after an answer told of the loss; at once when that was before. */
  onLost(callback: (reason: string) => void): void {
    if (this.#lostReason === null) this.#onLost.push(callback);
    else this.#announce(callback, this.#lostReason);
  }

  /** For drills: one answer of the driver is replaced; `after` others go through first. */
  inject(fault: InjectedFault, after = 0): void {
    const handle = this.#open();
    const index = faults.indexOf(fault);
    if (index < 0) throw invalidArgument('fault', `one of ${faults.join(', ')}`, fault);
    if (!Number.isInteger(after) || after < 0 || after > 2 ** 31)
      throw invalidArgument('after', 'a count', after);
    native.deviceInject(handle, index, after);
  }

  /** Takes nothing more, lets what is on its way finish, then closes all buffers and the device. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await Promise.all(this.#underway);
    for (const buffer of [...this.#buffers]) buffer.close();
    const handle = this.#handle;
    this.#handle = null;
    if (handle !== null) native.deviceClose(handle);
  }

  #open(): NativeDevice {
    if (this.#handle === null || this.closed)
      throw new NativeError('closed', `device ${this.id}: already closed`);
    return this.#handle;
  }

  #made(make: () => DeviceBufferDto): DeviceBuffer {
    try {
      const buffer = DeviceBuffer.fromNative(make(), (closed) => this.#buffers.delete(closed));
      this.#buffers.add(buffer);
      return buffer;
    } catch (error) {
      if (error instanceof NativeError && error.code === 'device_lost') this.#lose(error.message);
      throw error;
    }
  }

  async #run(
    name: keyof typeof operations,
    target: DeviceBuffer,
    source: DeviceBuffer | null,
    numbers: Float64Array,
  ): Promise<DeviceResultDto> {
    const handle = this.#open();
    const underway = native.deviceSubmit(
      handle,
      operations[name],
      target.handle,
      source?.handle ?? null,
      numbers,
    );
    this.#underway.add(underway);
    const result = await underway;
    this.#underway.delete(underway);
    if (result.status === done) return result;
    const message = `device ${this.id}: ${name}: ${result.reason}`;
    if (result.status === lost) this.#lose(result.reason);
    throw new NativeError(codes[result.status as keyof typeof codes] ?? 'device_failed', message);
  }

  #lose(reason: string): void {
    if (this.#lostReason !== null) return;
    this.#lostReason = reason;
    for (const callback of this.#onLost.splice(0)) this.#announce(callback, reason);
  }

  /** Later, so that a callback never runs inside the call that caused it. */
  #announce(callback: (reason: string) => void, reason: string): void {
    queueMicrotask(() => callback(reason));
  }
}

function rangeNumbers({ offset, bytes }: DeviceRange, from: number, value: number): Float64Array {
  return Float64Array.of(checkOffset('offset', offset), checkOffset('bytes', bytes), from, value);
}
