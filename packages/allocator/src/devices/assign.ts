/** Which device works for which region: what the configuration wants, what the machine has, and why they differ. */
import type { RegionDevice } from '@nautilus/contracts';

export interface FoundDevice {
  readonly id: string;
  /** The implementation: host, vulkan, metal, coreml. */
  readonly kind: string;
  readonly name: string;
  /** Computed by the host's processor, whatever it is called. */
  readonly software: boolean;
  /** Why it is not to be used, or null. */
  readonly lostReason: string | null;
}

export interface WantedDevice {
  readonly region: string;
  /** `host`, `gpu` or `neural-engine`. */
  readonly wanted: string;
}

export interface AssignmentRules {
  /** A software device makes nothing faster; drills and tests use one all the same. */
  readonly allowSoftware: boolean;
  /** By kind of device, why there is none. */
  readonly absent: Readonly<Record<string, string>>;
}

/** Kinds that can serve a wish, best first. */
const kindsFor: Readonly<Record<string, readonly string[]>> = {
  gpu: ['metal', 'vulkan'],
  'neural-engine': ['coreml'],
};

export function assignDevices(
  regions: readonly WantedDevice[],
  devices: readonly FoundDevice[],
  rules: AssignmentRules,
): ReadonlyMap<string, RegionDevice> {
  return new Map(regions.map(({ region, wanted }) => [region, assign(wanted, devices, rules)]));
}

function assign(wanted: string, devices: readonly FoundDevice[], rules: AssignmentRules): RegionDevice {
  const kinds = kindsFor[wanted];
  if (kinds === undefined) return { wanted, device: 'host', state: 'as-wanted', reason: null };
  const candidates = kinds.flatMap((kind) => devices.filter((device) => device.kind === kind));
  const usable = candidates.filter((device) => rules.allowSoftware || !device.software);
  const working = usable.find(({ lostReason }) => lostReason === null);
  const lost = usable.find(({ lostReason }) => lostReason !== null);
  // Another device may do the work; that one was lost is told all the same.
  if (lost !== undefined) {
    const reason = `${lost.id} (${lost.name}): ${lost.lostReason}`;
    return { wanted, device: working?.id ?? 'host', state: 'lost', reason };
  }
  if (working !== undefined) return { wanted, device: working.id, state: 'as-wanted', reason: null };
  return { wanted, device: 'host', state: 'missing', reason: missingReason(kinds, candidates, rules) };
}

function missingReason(
  kinds: readonly string[],
  software: readonly FoundDevice[],
  { absent }: AssignmentRules,
): string {
  const [first] = software;
  if (first !== undefined)
    return `${first.id} (${first.name}) is computed by the processor and makes nothing faster`;
  return kinds.map((kind) => `${kind}: ${absent[kind] ?? 'not built for this platform'}`).join('; ');
}
