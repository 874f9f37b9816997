/** A NATS server for this run: of its own on a free port, with identities, or the one that `NATS_URL` names. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Identities } from './identities.ts';
import { Child } from './process.ts';

export interface Broker {
  readonly url: string;
  /** Null for a foreign server, which knows nothing of our roles. */
  readonly identities: Identities | null;
  readonly alive: boolean;
  readonly pid: number | null;
  readonly lastWords: string;
  stop(): Promise<boolean>;
}

const startPatienceMs = 10_000;
const stopPatienceMs = 10_000;
const knockMs = 2_000;

/** The server that `NATS_URL` names: it must answer, and its address must be one. */
export async function foreignBroker(url: string): Promise<Broker> {
  const address = URL.canParse(url.includes('://') ? url : `nats://${url}`)
    ? new URL(url.includes('://') ? url : `nats://${url}`)
    : null;
  if (address === null || address.hostname === '') {
    throw new Error(`NATS_URL: "${url}" is no address; write it as nats://HOST:4222`);
  }
  if (address.username !== '' || address.password !== '') {
    throw new Error(
      'NATS_URL: an address with a user is not supported here; give each service its nats.seed_file instead',
    );
  }
  const port = address.port === '' ? 4222 : Number(address.port);
  const refusal = await knock(address.hostname, port);
  if (refusal !== null) {
    throw new Error(
      `NATS_URL: no server answers at ${address.host} (${refusal}); start it, or unset NATS_URL to have one started here`,
    );
  }
  return { url, identities: null, alive: true, pid: null, lastWords: '', stop: () => Promise.resolve(true) };
}

/** Null when somebody listens. */
function knock(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port, timeout: knockMs });
    const end = (reason: string | null) => {
      socket.destroy();
      resolve(reason);
    };
    socket.once('connect', () => end(null));
    socket.once('timeout', () => end(`nothing for ${knockMs / 1000} s`));
    socket.once('error', (error) => end(error.message));
  });
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
        pid: server.pid ?? null,
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
