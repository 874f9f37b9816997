/** Which file a service reads, and what wins. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadServiceConfig } from './service-config.ts';

describe('loadServiceConfig', () => {
  const cwd = mkdtempSync(join(tmpdir(), 'nautilus-service-'));
  const empty = join(cwd, 'empty');
  beforeAll(() => {
    for (const name of ['nautilus', 'variable', 'option']) {
      writeFileSync(join(cwd, `${name}.yaml`), `host:\n  id: from-${name}\n`);
    }
  });
  afterAll(() => rmSync(cwd, { recursive: true }));

  const load = (argv: string[], env: NodeJS.ProcessEnv = {}, folder = cwd) => {
    const result = loadServiceConfig({ argv, env, cwd: folder });
    return result.ok ? result.value.host.id : result.fault.message;
  };

  it('prefers the option to the variable, the variable to the usual file, and that to the defaults', () => {
    const env = { NAUTILUS_CONFIG: 'variable.yaml' };
    expect(load(['--config', 'option.yaml'], env)).toBe('from-option');
    expect(load([], env)).toBe('from-variable');
    expect(load([])).toBe('from-nautilus');
    expect(load([], {}, empty)).toBe('h1');
  });

  it('lets a variable override a single key', () => {
    expect(load([], { NAUTILUS_HOST__ID: 'h7' })).toBe('h7');
  });

  it('refuses a named file that does not exist, and arguments it does not know', () => {
    expect(load(['--config', 'missing.yaml'])).toBe(`${join(cwd, 'missing.yaml')}  does not exist`);
    expect(load(['--confg', 'x'])).toBe('arguments: found "--confg x", allowed is --config FILE');
  });
});
