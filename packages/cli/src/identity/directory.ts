/**
 * A directory of identities: a seed file (0600) for each party, the public halves in identities.json, and the NATS
 * configuration that holds each party to its role. The configuration is replaced only when the server finds it right.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createNkey, generateServerConfig } from '@nautilus/bus';
import { fail, NautilusError, permissionsOf, type RoleName, roles } from '@nautilus/contracts';

export interface Identity {
  readonly name: string;
  readonly role: RoleName;
  readonly host: string;
  /** The public half, `U…`. */
  readonly nkey: string;
}

export interface Added {
  readonly identity: Identity;
  readonly seedFile: string;
  readonly serverConfig: string;
  /** Null: the server found it right; else why it could not be asked. */
  readonly notChecked: string | null;
}

const listName = 'identities.json';
const configName = 'nats.conf';

export function readIdentities(directory: string): readonly Identity[] {
  const path = join(directory, listName);
  if (!existsSync(path)) return [];
  const wrong = (reason: string) =>
    new NautilusError(
      fail('config_invalid', `${path}: ${reason}; it is written by \`nautilus identity add\``).fault,
    );
  let found: unknown;
  try {
    found = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error));
  }
  if (!Array.isArray(found) || !found.every(isIdentity))
    throw wrong('must be a list of name, role, host and nkey');
  return found;
}

function isIdentity(value: unknown): value is Identity {
  const { name, role, host, nkey } = (value ?? {}) as Record<string, unknown>;
  return (
    [name, host, nkey].every((text) => typeof text === 'string') &&
    typeof role === 'string' &&
    Object.hasOwn(roles, role)
  );
}

export function addIdentity(directory: string, wish: Omit<Identity, 'nkey'>): Added {
  const known = readIdentities(directory);
  const seedFile = join(directory, `${wish.name}.nk`);
  if (known.some(({ name }) => name === wish.name) || existsSync(seedFile)) {
    throw new NautilusError(
      fail(
        'conflict',
        `${wish.name} has an identity in ${directory} already; a new one would end the old one's access`,
      ).fault,
    );
  }
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const { seed, publicKey } = createNkey();
  const identity = { ...wish, nkey: publicKey };
  const identities = [...known, identity];
  const serverConfig = join(directory, configName);
  const draft = `${serverConfig}.new`;
  writeFileSync(draft, configOf(identities, directory), { mode: 0o600 });
  const notChecked = check(draft);
  // Exclusively, so that a seed is never overwritten.
  writeFileSync(seedFile, `${seed}\n`, { mode: 0o600, flag: 'wx' });
  chmodSync(seedFile, 0o600);
  writeFileSync(`${join(directory, listName)}.new`, `${JSON.stringify(identities, null, 2)}\n`, {
    mode: 0o600,
  });
  renameSync(`${join(directory, listName)}.new`, join(directory, listName));
  renameSync(draft, serverConfig);
  return { identity, seedFile, serverConfig, notChecked };
}

function configOf(identities: readonly Identity[], directory: string): string {
  const users = identities.map(({ name, role, host, nkey }) => {
    const { publish, subscribe, allowResponses } = permissionsOf(role, { host, party: name });
    return { name, nkey, publish: [...publish], subscribe: [...subscribe], allowResponses };
  });
  return generateServerConfig({
    users,
    port: 4222,
    host: '127.0.0.1',
    storeDir: join(directory, 'jetstream'),
  });
}

/** Asks the server itself; a configuration that it refuses is not kept. */
function check(path: string): string | null {
  const { status, error, stderr } = spawnSync('nats-server', ['-t', '-c', path], { encoding: 'utf8' });
  if (error !== undefined) return `nats-server could not be asked: ${error.message}`;
  if (status === 0) return null;
  rmSync(path);
  throw new NautilusError(
    fail('config_invalid', `nats-server refuses the configuration: ${stderr.trim()}`).fault,
  );
}
