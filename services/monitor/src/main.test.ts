/** The monitor as a process: its configuration, its pages, its exit codes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startNats } from '@nautilus/bus/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { version } from './version.ts';

const main = fileURLToPath(new URL('main.ts', import.meta.url));
const tsx = import.meta.resolve('tsx');

let folder: string;
const children: ChildProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nautilus-monitor-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

async function run(config: string, env: NodeJS.ProcessEnv = {}) {
  const file = join(folder, 'nautilus.yaml');
  await writeFile(file, config);
  const flags = ['--import', tsx, '--conditions=@nautilus/source', main, '--config', file];
  const child = spawn(process.execPath, flags, { env: { PATH: process.env['PATH'], ...env }, cwd: folder });
  children.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return { child, ended: once(child, 'exit'), output: () => output };
}

describe('the process of the monitor', () => {
  it('serves, and ends with 0 when it is asked to stop', async () => {
    await using nats = await startNats({ jetstream: true });
    const config = `nats:\n  servers: ['${nats.url}']\nmonitor:\n  port: 9091\n`;
    const process_ = await run(config, { NAUTILUS_MONITOR__PORT: '0' });
    const port = await vi.waitFor(
      () => {
        const listening = process_.output().match(/"port":(\d+),"msg":"serving/);
        expect(process_.output()).toContain('"msg":"ready"');
        return Number(listening?.[1]);
      },
      { timeout: 15_000, interval: 50 },
    );
    expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
    process_.child.kill('SIGTERM');
    expect((await process_.ended)[0]).toBe(0);
  });

  it('is alive but not ready while NATS is not there, and stops all the same', async () => {
    const process_ = await run(`nats:\n  servers: ['nats://127.0.0.1:9']\nmonitor:\n  port: 0\n`);
    const port = await vi.waitFor(
      () => {
        const listening = process_.output().match(/"port":(\d+),"msg":"serving/);
        expect(listening).not.toBeNull();
        return Number(listening?.[1]);
      },
      { timeout: 15_000, interval: 50 },
    );
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
    const ready = await fetch(`http://127.0.0.1:${port}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.text()).toContain('no connection to NATS');
    process_.child.kill('SIGTERM');
    expect((await process_.ended)[0]).toBe(0);
  });

  it('refuses a configuration that is wrong, with the place and what is allowed', async () => {
    const process_ = await run('monitor:\n  gap: 5\n');
    expect((await process_.ended)[0]).toBe(2);
    expect(process_.output()).toContain('nautilus.yaml:2:');
    expect(process_.output()).toContain('monitor.gap');
  });
});

it('has the version of its package', async () => {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  expect((JSON.parse(text) as { version: string }).version).toBe(version);
});
