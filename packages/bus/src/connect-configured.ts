/** Connects as the configuration says: servers, the seed from its file, replicas, and the features every service needs. */
import { readFile } from 'node:fs/promises';
import type { Config } from '@nautilus/contracts';
import type { Bus, BusOptions, BusTls } from './bus.ts';
import { connectBus } from './connect.ts';

export async function connectConfigured(
  nats: Config['nats'],
  options: Pick<BusOptions, 'name' | 'log' | 'clock' | 'signal' | 'inboxPrefix'>,
): Promise<Bus> {
  const seed = nats.seed_file === null ? null : (await readFile(nats.seed_file, 'utf8')).trim();
  return connectBus({
    ...options,
    servers: nats.servers,
    replicas: nats.replicas,
    credentials: seed === null ? null : { nkeySeed: seed },
    ...(nats.tls === null ? {} : { tls: tlsOf(nats.tls) }),
    requireFeatures: ['jetstream', 'kv'],
  });
}

/** The files of the configuration as the bus takes them. */
export function tlsOf({ ca_file, cert_file, key_file }: NonNullable<Config['nats']['tls']>): BusTls {
  return {
    ...(ca_file === null ? {} : { caFile: ca_file }),
    ...(cert_file === null ? {} : { certFile: cert_file }),
    ...(key_file === null ? {} : { keyFile: key_file }),
  };
}
