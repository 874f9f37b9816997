/** The way in: a bus in the container's name, and a client that answers the agent's commands on it. */
import { readFile } from 'node:fs/promises';
import { type BusLog, type BusTls, connectBus } from '@nautilus/bus';
import { encodeToken, NautilusError } from '@nautilus/contracts';
import { NautilusClient } from './client.ts';
import type { ClientBus } from './client-bus.ts';
import { systemTiming } from './timing.ts';

export interface ConnectOptions {
  /** Name of the container, as the configuration knows it. */
  readonly container: string;
  /** Host whose agent is asked; `h1`. */
  readonly host?: string;
  /** NATS; else `NAUTILUS_NATS__SERVERS`, else `nats://127.0.0.1:4222`. */
  readonly servers?: string | readonly string[];
  /** Nkey seed that proves the container's name; null connects without identity. */
  readonly seed?: string | null;
  /** A file with the nkey seed; else the one that `NAUTILUS_NATS__SEED_FILE` names. */
  readonly seedFile?: string | undefined;
  /** PEM files for an encrypted connection; else those that `NAUTILUS_NATS__TLS__CA_FILE` and its kin name. */
  readonly tls?: BusTls;
  /** Gives up waiting for NATS. */
  readonly signal?: AbortSignal;
  readonly log?: BusLog;
  /** How long one answer is waited for; three times that, an absent agent. 5 seconds. */
  readonly requestTimeoutMs?: number;
  /** False: channels are copied over NATS, as where the agent's socket cannot be reached; true. */
  readonly sharedMemory?: boolean;
  /** A bus that is there already; it stays open when the client closes. */
  readonly bus?: ClientBus;
}

const silent: BusLog = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/**
 * Connects to NATS. The agent's socket is opened with the first segment.
 *
 * Example:
 * ```ts
 * await using client = await connect({ container: 'trading-engine' });
 * using block = await client.pool('trading').allocate(4096);
 * block.view().fill(1);
 * await block.grant('risk-engine'); // which calls client.open(block.segment)
 * ```
 */
export async function connect(options: ConnectOptions): Promise<NautilusClient> {
  const { container, host = 'h1', requestTimeoutMs = 5_000, log = silent } = options;
  const bus = options.bus ?? (await openBus(options, log));
  const ownsBus = options.bus === undefined;
  const timing = systemTiming;
  const { sharedMemory = true } = options;
  const client = new NautilusClient({
    container,
    host,
    bus,
    ownsBus,
    requestTimeoutMs,
    log,
    timing,
    sharedMemory,
  });
  try {
    await client.serve();
    return client;
  } catch (error) {
    await client.close();
    throw error;
  }
}

async function openBus(options: ConnectOptions, log: BusLog): Promise<ClientBus> {
  const { seed: given, seedFile = given == null ? process.env['NAUTILUS_NATS__SEED_FILE'] : undefined } =
    options;
  const seed = await readSeed({ seed: given, seedFile });
  const tls = options.tls ?? tlsFrom(process.env);
  return connectBus({
    servers: options.servers ?? serversFrom(process.env['NAUTILUS_NATS__SERVERS']),
    // Also the inbox, which permissions tie to the container's token.
    name: encodeToken(options.container),
    log,
    credentials: seed === null ? null : { nkeySeed: seed },
    ...(tls === null ? {} : { tls }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
}

/** Null: no file is named, and the server alone says whether the connection is encrypted. */
function tlsFrom(environment: NodeJS.ProcessEnv): BusTls | null {
  const file = (name: string) => environment[`NAUTILUS_NATS__TLS__${name}`];
  const caFile = file('CA_FILE');
  const certFile = file('CERT_FILE');
  const keyFile = file('KEY_FILE');
  const tls: BusTls = {
    ...(caFile === undefined ? {} : { caFile }),
    ...(certFile === undefined ? {} : { certFile }),
    ...(keyFile === undefined ? {} : { keyFile }),
  };
  return Object.keys(tls).length === 0 ? null : tls;
}

/** One address, several with commas, or the list as it stands in `nautilus.yaml`. */
function serversFrom(text: string | undefined): readonly string[] {
  const servers = (text ?? '')
    .replaceAll(/[[\]"']/g, '')
    .split(',')
    .map((server) => server.trim())
    .filter((server) => server !== '');
  return servers.length > 0 ? servers : ['nats://127.0.0.1:4222'];
}

async function readSeed({
  seed,
  seedFile,
}: {
  seed: string | null | undefined;
  seedFile: string | undefined;
}): Promise<string | null> {
  if (seedFile === undefined) return seed ?? null;
  if (seed !== undefined && seed !== null)
    throw new NautilusError({
      code: 'config_invalid',
      message: 'seed and seedFile are both given: one is enough',
    });
  try {
    return (await readFile(seedFile, 'utf8')).trim();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new NautilusError(
      { code: 'config_invalid', message: `seedFile ${seedFile} cannot be read: ${reason}` },
      { cause: error },
    );
  }
}
