/** The compose file says nothing that the code does not understand: programs exist, variables are keys, ports are scraped. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadServiceConfig } from '@nautilus/kit';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly profiles?: readonly string[];
  readonly network_mode?: string;
}

const root = new URL('../../', import.meta.url);
const text = (path: string) => readFileSync(new URL(path, root), 'utf8');
const compose = parse(text('docker-compose.yml'), { merge: true }) as { services: Record<string, Service> };
const ours = Object.entries(compose.services).filter(([, { image }]) => image.startsWith('nautilus-memory'));

describe('docker-compose.yml', () => {
  it('starts programs that exist', () => {
    expect(ours.length).toBeGreaterThanOrEqual(10);
    for (const [name, { command }] of ours) {
      const source = command?.[0]?.replace('/dist/', '/src/').replace(/\.js$/, '.ts') ?? '';
      expect(existsSync(new URL(source, root)), `${name}: ${source}`).toBe(true);
    }
  });

  it('configures services with keys that the schema knows, on top of the shipped file', () => {
    for (const [name, { environment = {}, profiles, network_mode }] of ours) {
      if (profiles !== undefined) continue;
      const { NAUTILUS_CONFIG: _, ...env } = environment;
      const config = loadServiceConfig({
        argv: ['--config', fileURLToPath(new URL('nautilus.yaml', root))],
        env,
        cwd: '/',
      });
      expect(config.ok ? null : config.fault.message, name).toBeNull();
      // Without a network there is nobody to reach: the one that makes the identities.
      if (config.ok && network_mode !== 'none')
        expect(config.value.nats.servers).toEqual(['nats://nats:4222']);
    }
  });

  it('scrapes every service at the port that its configuration gives', () => {
    const targets = text('deploy/prometheus/prometheus.yml');
    const config = loadServiceConfig({
      argv: ['--config', fileURLToPath(new URL('nautilus.yaml', root))],
      env: {},
      cwd: '/',
    });
    if (!config.ok) throw new Error(config.fault.message);
    for (const name of ['allocator', 'orchestrator', 'monitor', 'maintenance'] as const) {
      expect(compose.services[name], name).toBeDefined();
      expect(targets).toContain(`${name}:${config.value[name].port}`);
    }
  });

  it('starts only containers that the host knows', () => {
    const config = loadServiceConfig({
      argv: ['--config', fileURLToPath(new URL('nautilus.yaml', root))],
      env: {},
      cwd: '/',
    });
    if (!config.ok) throw new Error(config.fault.message);
    for (const [name, { profiles, command }] of ours) {
      if (profiles === undefined) continue;
      expect(command?.[1]).toBe(name);
      expect(Object.keys(config.value.containers)).toContain(name);
    }
  });
});
