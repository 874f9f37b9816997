/** Who decides where NATS is and whose seed is shown: what was said last and most plainly. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configSchema } from '@nautilus/contracts';
import { afterAll, describe, expect, it } from 'vitest';
import { type ConnectionWishes, findConnection } from './connection.ts';

const directory = mkdtempSync(join(tmpdir(), 'nautilus-connection-'));
afterAll(() => rmSync(directory, { recursive: true }));
const seeds = join(directory, 'seeds');
mkdirSync(seeds);
writeFileSync(join(seeds, 'operator.nk'), 'SU', { mode: 0o600 });
const file = join(directory, 'join.json');
writeFileSync(file, JSON.stringify({ host: 'h5', servers: ['nats://127.0.0.1:5'], seeds }));

const wishes = (more: Partial<ConnectionWishes>): ConnectionWishes => ({
  nats: null,
  seed: null,
  join: null,
  host: null,
  env: {},
  cwd: directory,
  config: () =>
    configSchema.parse({ host: { id: 'h3' }, nats: { servers: ['nats://c:3'], seed_file: '/c.nk' } }),
  ...more,
});

describe('findConnection()', () => {
  it('takes server, host and seeds of a join file, and names the parties it has', () => {
    const found = findConnection(wishes({ join: 'join.json' }));
    expect(found).toMatchObject({ servers: ['nats://127.0.0.1:5'], host: 'h5' });
    expect(found.seedFile('operator')).toBe(join(seeds, 'operator.nk'));
    expect(() => found.seedFile('risk-engine')).toThrow(/no identity "risk-engine"; it has operator/);
    expect(() => found.seedFile('../seeds/operator')).toThrow(/no identity/);
  });

  it('lets options override the join file', () => {
    const found = findConnection(wishes({ join: 'join.json', host: 'h6', seed: 'mine.nk' }));
    expect(found.host).toBe('h6');
    expect(found.seedFile('operator')).toBe(join(directory, 'mine.nk'));
  });

  it('prefers the option to the environment, and that to the configuration', () => {
    const env = { NATS_URL: 'nats://127.0.0.1:8' };
    expect(findConnection(wishes({ nats: 'nats://127.0.0.1:9', env })).servers).toEqual([
      'nats://127.0.0.1:9',
    ]);
    expect(findConnection(wishes({ env }))).toMatchObject({ servers: ['nats://127.0.0.1:8'], host: 'h3' });
    expect(findConnection(wishes({ env })).seedFile('operator')).toBe('/c.nk');
  });

  it('refuses a join file that is none', () => {
    writeFileSync(join(directory, 'wrong.json'), '{"host":1}');
    expect(() => findConnection(wishes({ join: 'wrong.json' }))).toThrow(/must have host, servers and seeds/);
  });
});
