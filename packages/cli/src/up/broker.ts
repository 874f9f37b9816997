/** A NATS server for this run: of its own on a free port, with identities, or the one that `NATS_URL` names. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Identities } from './identities.ts';
import { Child } from './process.ts';

export interface Broker {
  readonly url: string;
  /** Null for a foreign server, which knows nothing of our roles. */
  readonly identities: Identities | null;
  readonly alive: boolean;
  readonly lastWords: string;
  stop(): Promise<boolean>;
}

const startPatienceMs = 10_000;
const stopPatienceMs = 10_000;

export function foreignBroker(url: string): Broker {
  return { url, identities: null, alive: true, lastWords: '', stop: () => Promise.resolve(true) };
}

export async function startBroker(directory: string, identities: Identities): Promise<Broker> {
  const portsDirectory = join(directory, 'ports');
  const configPath = join(directory, 'nats.conf');
  mkdirSync(portsDirectory);
  writeFileSync(
    configPath,
    identities.serverConfig({ port: 4222, storeDirectory: join(directory, 'jetstream') }),
    { mode: 0o600 },
  );
  const server = new Child({
    name: 'nats-server',
    command: 'nats-server',
    args: ['-c', configPath, '-a', '127.0.0.1', '-p', '-1', '--ports_file_dir', portsDirectory],
    env: process.env,
  });
  const deadline = performance.now() + startPatienceMs;
  while (performance.now() < deadline && server.alive) {
    const url = readUrl(portsDirectory);
    if (url !== null) {
      return {
        url,
        identities,
        get alive() {
          return server.alive;
        },
        get lastWords() {
          return server.lastWords;
        },
        stop: () => server.stop(stopPatienceMs),
      };
    }
    await sleep(20);
  }
  await server.stop(0);
  throw new Error(`nats-server did not start: ${server.lastWords}`);
}

/** The server writes its ports file when it listens; until then there is none, or half of one. */
function readUrl(directory: string): string | null {
  const file = readdirSync(directory).find((name) => name.endsWith('.ports'));
  if (file === undefined) return null;
  try {
    const ports = JSON.parse(readFileSync(join(directory, file), 'utf8')) as { nats?: string[] };
    return ports.nats?.[0] ?? null;
  } catch {
    return null;
  }
}
