/** Connects as the configuration says: servers, the seed from its file, replicas, and the features every service needs. */
import { readFile } from 'node:fs/promises';
import type { Config } from '@nautilus/contracts';
import type { Bus, BusOptions } from './bus.ts';
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
    requireFeatures: ['jetstream', 'kv'],
  });
}
