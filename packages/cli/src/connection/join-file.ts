/** The join file of a running `nautilus up`: which server, which host, and where the seeds are. Private to its user. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fail, NautilusError } from '@nautilus/contracts';
import { isLiveRun, runPrefix, runsDirectory } from '../up/runtime-directory.ts';

export interface Run {
  readonly path: string;
  readonly host: string;
  readonly servers: readonly string[];
  /** Directory with `<party>.nk`; null: the server knows no identities. */
  readonly seeds: string | null;
}

export const joinFileName = 'join.json';

export function readJoinFile(path: string): Run {
  let found: unknown;
  try {
    found = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw wrong(path, error instanceof Error ? error.message : String(error));
  }
  const { host, servers, seeds } = (found ?? {}) as Record<string, unknown>;
  const isRight =
    typeof host === 'string' &&
    Array.isArray(servers) &&
    servers.every((server) => typeof server === 'string') &&
    (seeds === null || typeof seeds === 'string');
  if (!isRight) throw wrong(path, 'it must have host, servers and seeds');
  return { path, host, servers: servers as string[], seeds: seeds as string | null };
}

/** The newest run of this user that is alive, and that uses this server when one is named. */
export function newestRun(server: string | null): Run | null {
  const uid = process.getuid?.();
  const runs = readdirSync(runsDirectory())
    .filter((name) => name.startsWith(runPrefix))
    .map((name) => join(runsDirectory(), name, joinFileName))
    .flatMap((path) => {
      const file = statSync(path, { throwIfNoEntry: false });
      // Another user's file could name another server: a seed would be proven to a stranger.
      return file === undefined || file.uid !== uid || !isLiveRun(dirname(path))
        ? []
        : [{ path, at: file.mtimeMs }];
    })
    .sort((a, b) => b.at - a.at)
    .map(({ path }) => readJoinFile(path));
  return runs.find((run) => server === null || run.servers.includes(server)) ?? null;
}

function wrong(path: string, reason: string): NautilusError {
  return new NautilusError(
    fail(
      'config_invalid',
      `--join ${path}: ${reason}; \`nautilus up\` writes it beside the guest.env that it names`,
    ).fault,
  );
}
