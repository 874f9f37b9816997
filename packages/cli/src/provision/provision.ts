/**
 * Identities for a stack of containers: a folder per party with its own seed, so that a volume per party shows nobody
 * another's, and the server configuration with the public halves. Run again it keeps every seed, and takes new parties in.
 */
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createNkey, generateServerConfig, type Nkey, publicKeyOf, type ServerUser } from '@nautilus/bus';
import { NautilusError, permissionsOf, type RoleName } from '@nautilus/contracts';

export interface ProvisionOptions {
  /** Holds a folder for each party and `nats` for the server. */
  readonly directory: string;
  readonly host: string;
  readonly containers: readonly string[];
  /** Who shall read the files, where they are not written by that user; null leaves them to who runs this. */
  readonly owner: { readonly uid: number; readonly gid: number } | null;
  readonly newKey?: () => Nkey;
}

export interface Provisioned {
  readonly party: string;
  readonly role: RoleName;
  readonly publicKey: string;
  /** False: the seed was there already. */
  readonly isNew: boolean;
}

const services = ['agent', 'orchestrator', 'monitor', 'maintenance', 'operator'] as const;
const clientPort = 4222;
const monitorPort = 8222;

/** Throws `config_invalid` where a seed is there and is none. */
export function provision(options: ProvisionOptions): readonly Provisioned[] {
  const { directory, host, containers } = options;
  const parties: { party: string; role: RoleName }[] = [
    ...services.map((party) => ({ party, role: party })),
    ...containers.map((party) => ({ party, role: 'container' as const })),
  ];
  const provisioned = parties.map(({ party, role }) => ({ party, role, ...keyOf(party, options) }));
  const users = provisioned.map(({ party, role, publicKey }): ServerUser => {
    const { publish, subscribe, allowResponses } = permissionsOf(role, { host, party });
    return { name: party, nkey: publicKey, publish, subscribe, allowResponses };
  });
  const folder = join(directory, 'nats');
  const store = join(folder, 'jetstream');
  mkdirSync(store, { recursive: true });
  // The paths are those of the server's own container, which mounts this folder as /nats.
  const config = generateServerConfig({ users, port: clientPort, monitorPort, storeDir: '/nats/jetstream' });
  writeWhole(join(folder, 'nats.conf'), config, 0o644);
  give(options, folder, store, join(folder, 'nats.conf'));
  return provisioned;
}

function keyOf(party: string, options: ProvisionOptions): { publicKey: string; isNew: boolean } {
  const { directory, newKey = createNkey } = options;
  const folder = join(directory, party);
  const path = join(folder, 'seed.nk');
  mkdirSync(folder, { recursive: true });
  if (existsSync(path)) {
    try {
      return { publicKey: publicKeyOf(readFileSync(path, 'utf8').trim()), isNew: false };
    } catch (error) {
      const message = `${path} is there and holds no seed; remove it to have a new one made for ${party}`;
      throw new NautilusError({ code: 'config_invalid', message }, { cause: error });
    }
  }
  const { seed, publicKey } = newKey();
  writeWhole(path, `${seed}\n`, 0o600);
  give(options, folder, path);
  return { publicKey, isNew: true };
}

/** A reader sees the old file or the new one, and never half of one. */
function writeWhole(path: string, text: string, mode: number): void {
  writeFileSync(`${path}.new`, text, { mode });
  renameSync(`${path}.new`, path);
}

function give({ owner }: ProvisionOptions, ...paths: readonly string[]): void {
  if (owner === null) return;
  for (const path of paths) chownSync(path, owner.uid, owner.gid);
}
