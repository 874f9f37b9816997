/** One nkey for each party of the demo, and the server configuration that holds each to its row of the role table. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createNkey, generateServerConfig } from '@nautilus/bus';
import { permissionsOf, type RoleName } from '@nautilus/contracts';

export interface Identities {
  /** Where the seeds lie, each `<party>.nk`. */
  readonly directory: string;
  /** The file (0600) with the seed of a party. */
  seedFile(party: string): string;
  readonly operatorSeed: string;
  serverConfig(options: { port: number; storeDirectory: string }): string;
}

const services: readonly { party: string; role: RoleName }[] = [
  { party: 'agent', role: 'agent' },
  { party: 'orchestrator', role: 'orchestrator' },
  { party: 'monitor', role: 'monitor' },
  { party: 'maintenance', role: 'maintenance' },
  { party: 'operator', role: 'operator' },
];

export function createIdentities(directory: string, host: string, containers: readonly string[]): Identities {
  const seeds = join(directory, 'seeds');
  mkdirSync(seeds, { mode: 0o700 });
  const seedFile = (party: string) => join(seeds, `${party}.nk`);
  let operatorSeed = '';
  const parties = [...services, ...containers.map((party) => ({ party, role: 'container' as const }))];
  const users = parties.map(({ party, role }) => {
    const { seed, publicKey } = createNkey();
    writeFileSync(seedFile(party), `${seed}\n`, { mode: 0o600 });
    if (party === 'operator') operatorSeed = seed;
    const { publish, subscribe, allowResponses } = permissionsOf(role, { host, party });
    return { name: party, nkey: publicKey, publish: [...publish], subscribe: [...subscribe], allowResponses };
  });
  return {
    directory: seeds,
    seedFile,
    operatorSeed,
    serverConfig: ({ port, storeDirectory }) =>
      generateServerConfig({ users, port, host: '127.0.0.1', storeDir: storeDirectory }),
  };
}
