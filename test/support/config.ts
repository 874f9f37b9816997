/** A configuration for tests: the defaults, a directory of its own, free ports, short times. Every wait in a test is one of these. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Config, configSchema } from '@nautilus/contracts';

export interface TestConfig {
  readonly config: Config;
  /** The same as the text of a file, for services that run as processes. */
  readonly yaml: string;
  readonly directory: string;
  remove(): void;
}

type Section = Record<string, unknown>;

/** `sections` are laid over the defaults key by key, one level deep, in the words of `nautilus.yaml`. */
export function testConfig(natsUrl: string, sections: Record<string, Section> = {}): TestConfig {
  const directory = mkdtempSync(join(tmpdir(), 'nautilus-test-'));
  const free = { port: 0 };
  const base: Record<string, Section> = {
    host: { id: 'h1', socket: join(directory, 'agent.sock'), state_dir: join(directory, 'state') },
    nats: { servers: [natsUrl] },
    log: { level: process.env['NAUTILUS_TEST_LOG'] ?? 'silent' },
    allocator: {
      ...free,
      observe_interval: '200ms',
      sample_interval: '200ms',
      return_grace: '3s',
      handshake_timeout: '500ms',
    },
    orchestrator: { ...free, interval: '1s' },
    monitor: { ...free, history_dir: join(directory, 'history'), raise_hold: '0s', clear_hold: '500ms' },
    maintenance: free,
  };
  for (const [name, section] of Object.entries(sections)) base[name] = { ...base[name], ...section };
  const config = configSchema.parse(base);
  return {
    config,
    // JSON is YAML.
    yaml: JSON.stringify(base),
    directory,
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
