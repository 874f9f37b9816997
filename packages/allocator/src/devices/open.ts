/** The devices of this machine as the watch wants them: each with a small page of its own on which it must compute right. */
import {
  createSegment,
  type Device,
  type DeviceFacts,
  detectDevices,
  mapSegment,
  NativeError,
  openDevice,
} from '@nautilus/native';
import { DeviceFault, type FoundDevices, type WatchedDevice } from './watch.ts';

/** A page of the largest kind in use, so that every device can import it in place. */
const probeBytes = 16_384;

export function openDevices(allowSoftware: boolean): FoundDevices {
  const { kinds, devices } = detectDevices();
  const absent: Record<string, string> = {};
  for (const { kind, reason } of kinds) if (reason !== null) absent[kind] = reason;
  const opened: WatchedDevice[] = [];
  for (const facts of devices) {
    if (facts.kind === 'host') continue;
    if (facts.software && !allowSoftware) {
      opened.push(unopened(facts));
      continue;
    }
    try {
      opened.push(watched(openDevice(facts.id)));
    } catch (error) {
      absent[facts.kind] = `${facts.id}: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
  return { devices: opened, absent };
}

/** Named in the reasons and not used: an open driver costs memory. */
function unopened({ id, kind, name, software }: DeviceFacts): WatchedDevice {
  return {
    facts: { id, kind, name, software },
    probe: () => Promise.resolve(),
    onLost: () => undefined,
    close: () => undefined,
  };
}

/** Public so that a drill can keep the device and break it. */
export function watched(device: Device): WatchedDevice {
  const { id, kind, name, software, computes } = device.facts;
  return {
    facts: { id, kind, name, software },
    probe: () => (computes ? probe(device).catch(blame) : Promise.resolve()),
    onLost: (callback) => device.onLost(callback),
    close: () => void device.close(),
  };
}

/** A lost device is its own doing; that this process has no descriptors or memory for a probe is not. */
function blame(error: unknown): never {
  if (error instanceof NativeError && error.code === 'device_lost') throw new DeviceFault(error.message);
  throw error;
}

/** Fills memory of the host from the device, reads it here, and has the device sum it up: all three must agree. */
async function probe(device: Device): Promise<void> {
  using segment = createSegment({ name: 'nautilus-probe', bytes: probeBytes });
  const mapping = mapSegment(segment, { access: 'read-write' });
  const buffer = device.import(mapping);
  try {
    const range = { buffer, offset: 0, bytes: probeBytes };
    await device.fill(range, probeByte);
    const seen = buffer.shared ? mapping.view(0, probeBytes) : buffer.read(0, probeBytes);
    if (seen.some((byte) => byte !== probeByte)) throw new DeviceFault('a fill of memory came out wrong');
    const sum = await device.checksum(range);
    if (sum !== probeSum) throw new DeviceFault(`a checksum came out as ${sum} instead of ${probeSum}`);
  } finally {
    buffer.close();
    mapping.close();
  }
}

const probeByte = 0xa5;
/** CRC32C of so many of these bytes, computed elsewhere. */
const probeSum = 1_260_813_964;
