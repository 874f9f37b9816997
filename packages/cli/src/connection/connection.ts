/**
 * Where NATS is and whose seed is shown there. From the most to the least said: options, a join file, the environment,
 * a running `nautilus up`, the configuration.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Config, fail, NautilusError } from '@nautilus/contracts';
import { newestRun, type Run, readJoinFile } from './join-file.ts';

export interface Connection {
  readonly servers: readonly string[];
  readonly host: string;
  /** As the configuration says; `nautilus up` uses none on its loopback address. */
  readonly tls: Config['nats']['tls'];
  /** For people: what decided it. */
  readonly source: string;
  /** The file with the seed of a party; null: this server asks for none that we know of. */
  seedFile(party: string): string | null;
}

export interface ConnectionWishes {
  readonly nats: string | null;
  readonly seed: string | null;
  readonly join: string | null;
  readonly host: string | null;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly config: () => Config;
}

export function findConnection(wishes: ConnectionWishes): Connection {
  const { nats, env, cwd, config } = wishes;
  const inCwd = (path: string) => resolve(cwd, path);
  const named =
    nats ?? (wishes.join === null ? env['NATS_URL'] || env['NAUTILUS_NATS__SERVERS'] || null : null);
  const run = wishes.join === null ? newestRun(named) : readJoinFile(inCwd(wishes.join));
  const seed = wishes.seed === null ? null : inCwd(wishes.seed);
  if (run !== null && (named === null || run.servers.includes(named))) {
    return {
      servers: nats === null ? run.servers : [nats],
      host: wishes.host ?? run.host,
      tls: null,
      source: `nautilus up (${run.path})`,
      seedFile: (party) => seed ?? seedOfRun(run, party),
    };
  }
  const settings = config();
  return {
    servers: nats !== null ? [nats] : env['NATS_URL'] ? [env['NATS_URL']] : settings.nats.servers,
    host: wishes.host ?? settings.host.id,
    tls: settings.nats.tls,
    source: nats !== null ? '--nats' : named === null ? 'the configuration' : 'the environment',
    seedFile: () => seed ?? settings.nats.seed_file,
  };
}

function seedOfRun(run: Run, party: string): string | null {
  if (run.seeds === null) return null;
  const file = join(run.seeds, `${party}.nk`);
  // A party's name is a token, so it cannot lead out of the directory.
  if (/^[a-z0-9-]+$/.test(party) && existsSync(file)) return file;
  const known = readdirSync(run.seeds).map((name) => name.replace(/\.nk$/, ''));
  throw new NautilusError(
    fail('unknown_container', `this run has no identity "${party}"; it has ${known.join(', ')}`).fault,
  );
}
