/**
 * What this package needs of a NATS server, and since which version it is there. Two of them are ignored silently
 * by an older server, so they are refused here before anything relies on them.
 */
import { NautilusError } from '@nautilus/contracts';

interface Requirement {
  readonly since: string;
  readonly otherwise: string;
}

export const featureTable = {
  jetstream: { since: '2.9.4', otherwise: 'there is no pull consumer that the client can use' },
  kv: { since: '2.9.0', otherwise: 'a bucket has no direct get, and reads cannot be limited to some keys' },
  'consumer-create-subject': {
    since: '2.9.0',
    otherwise: 'permissions cannot limit a watch to the keys of one host',
  },
  'per-key-ttl': { since: '2.11.0', otherwise: 'the time to live is ignored and the key never expires' },
  'marker-ttl': { since: '2.11.0', otherwise: 'a watcher is never told that a key expired' },
  'multi-filter': { since: '2.10.0', otherwise: 'one consumer takes only one filter' },
  metadata: { since: '2.10.0', otherwise: 'the metadata is refused or dropped' },
} as const satisfies Record<string, Requirement>;

export type Feature = keyof typeof featureTable;

/** Major, minor, patch; a pre-release counts as its release. Null when it is not a version. */
function parseVersion(text: string): readonly [number, number, number] | null {
  const match = /^v?(\d+)\.(\d+)\.(\d+)/.exec(text);
  if (match === null) return null;
  return [Number(match[1]), Number(match[2]), Number(match[3])];
}

export function isAtLeast(version: string, needed: string): boolean {
  const found = parseVersion(version);
  const wanted = parseVersion(needed);
  if (found === null || wanted === null) return false;
  for (const index of [0, 1, 2] as const) {
    if (found[index] !== wanted[index]) return found[index] > wanted[index];
  }
  return true;
}

/** Throws `server_too_old` for the first feature that the server lacks. */
export function assertServer(version: string, features: readonly Feature[]): void {
  for (const feature of features) {
    const { since, otherwise } = featureTable[feature];
    if (isAtLeast(version, since)) continue;
    throw new NautilusError({
      code: 'server_too_old',
      message: `NATS server ${version} lacks "${feature}": needs ${since} or newer, otherwise ${otherwise}`,
      details: { feature, needed: since, found: version },
    });
  }
}
