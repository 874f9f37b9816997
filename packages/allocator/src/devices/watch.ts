/**
 * Keeps the devices of this host under watch: each one that a region works with computes a known checksum now and then,
 * and when it is lost or computes wrongly its regions go over to another device or plain memory at once, with the reason (SPEC O5). A lost device
 * stays off until the agent starts anew: coming and going would hurt more than doing without.
 */
import type { RegionDevice } from '@nautilus/contracts';
import type { Clock, Component, Logger } from '@nautilus/kit';
import { assignDevices, type FoundDevice, type WantedDevice } from './assign.ts';

/** A device as this watch uses it. */
export interface WatchedDevice {
  readonly facts: Omit<FoundDevice, 'lostReason'>;
  /**
   * Has the device read memory of the host and compute; rejects with the reason when it did not, or wrongly. `DeviceFault`
   * says that this is the device's own doing; anything else may be the machine's, and must come several times.
   */
  probe(): Promise<void>;
  /** Told once, at any time. */
  onLost(callback: (reason: string) => void): void;
  close(): void;
}

export interface FoundDevices {
  readonly devices: readonly WatchedDevice[];
  /** By kind, why there is none. */
  readonly absent: Readonly<Record<string, string>>;
}

export interface DeviceWatchOptions {
  readonly regions: readonly WantedDevice[];
  readonly allowSoftware: boolean;
  /** May be slow: drivers are loaded. */
  readonly detect: (allowSoftware: boolean) => FoundDevices;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onChange?: (region: string, before: RegionDevice, after: RegionDevice) => void;
}

/** The device lost itself, or computed wrongly: one time is enough. */
export class DeviceFault extends Error {
  override readonly name = 'DeviceFault';
}

const probeMs = 5_000;
/** Failures in a row that are not clearly the device's. */
const mostFailures = 3;
/** A device that does not answer for so long is lost: a driver that hangs must not hang its users. */
const probePatienceMs = 10_000;

export class DeviceWatch {
  readonly component: Component;
  readonly #options: DeviceWatchOptions;
  readonly #timers = new AbortController();
  readonly #lost = new Map<string, string>();
  readonly #probing = new Set<string>();
  readonly #failures = new Map<string, number>();
  #found: FoundDevices = { devices: [], absent: {} };
  #assigned: ReadonlyMap<string, RegionDevice>;

  constructor(options: DeviceWatchOptions) {
    this.#options = options;
    this.#assigned = this.#assign();
    this.component = {
      name: 'devices',
      start: () => this.#start(),
      drain: () => this.#timers.abort(),
      stop: () => {
        for (const device of this.#found.devices) device.close();
      },
    };
  }

  get devices(): readonly FoundDevice[] {
    return this.#found.devices.map(({ facts }) => ({
      ...facts,
      lostReason: this.#lost.get(facts.id) ?? null,
    }));
  }

  /** The device of a region now. */
  of(region: string): RegionDevice | undefined {
    return this.#assigned.get(region);
  }

  #start(): void {
    const { clock, log, detect, regions, allowSoftware } = this.#options;
    // Drivers are slow to load and take memory: where no region wants a device, none is looked for.
    if (regions.every(({ wanted }) => wanted === 'host')) return;
    try {
      this.#found = detect(allowSoftware);
    } catch (error) {
      // Drivers are foreign code: without them the system runs on the processor.
      log.error({ err: error }, 'devices could not be looked for');
      const reason = error instanceof Error ? error.message : String(error);
      this.#found = { devices: [], absent: { metal: reason, vulkan: reason, coreml: reason } };
    }
    for (const device of this.#found.devices) device.onLost((reason) => this.#lose(device, reason));
    this.#assigned = this.#assign();
    for (const [region, { wanted, device, reason }] of this.#assigned)
      if (reason !== null) log.info({ region, wanted, device, reason }, 'region works on plain memory');
    const onError = (error: unknown) => log.error({ err: error }, 'watching devices failed');
    clock.every(probeMs, () => this.#probeAll(), { signal: this.#timers.signal, onError });
  }

  #probeAll(): void {
    const used = new Set([...this.#assigned.values()].map(({ device }) => device));
    for (const device of this.#found.devices) {
      const { id } = device.facts;
      if (used.has(id) && !this.#lost.has(id) && !this.#probing.has(id)) void this.#probe(device);
    }
  }

  async #probe(device: WatchedDevice): Promise<void> {
    const { id } = device.facts;
    this.#probing.add(id);
    const answered = new AbortController();
    this.#options.clock.sleep(probePatienceMs, answered.signal).then(
      () => this.#lose(device, `did not answer within ${probePatienceMs / 1000} s`),
      () => undefined,
    );
    try {
      await device.probe();
      this.#failures.delete(id);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const failures = (this.#failures.get(id) ?? 0) + 1;
      this.#failures.set(id, failures);
      if (error instanceof DeviceFault || failures >= mostFailures) this.#lose(device, reason);
      else this.#options.log.warn({ device: id, reason, failures }, 'device could not be probed');
    } finally {
      answered.abort();
      this.#probing.delete(id);
    }
  }

  #lose({ facts }: WatchedDevice, reason: string): void {
    if (this.#timers.signal.aborted || this.#lost.has(facts.id)) return;
    const { log, onChange } = this.#options;
    this.#lost.set(facts.id, reason);
    log.error({ device: facts.id, name: facts.name, reason }, 'device lost; its regions go on without it');
    const before = this.#assigned;
    this.#assigned = this.#assign();
    for (const [region, after] of this.#assigned) {
      const was = before.get(region);
      if (was !== undefined && was.device !== after.device) onChange?.(region, was, after);
    }
  }

  #assign(): ReadonlyMap<string, RegionDevice> {
    const { regions, allowSoftware } = this.#options;
    return assignDevices(regions, this.devices, { allowSoftware, absent: this.#found.absent });
  }
}
