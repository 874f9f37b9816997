/** What the benchmarks run on: a NATS server of their own and the agent as a process of its own, with room for 10,000 leases. */

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Bus, connectBus } from '@nautilus/bus';
import { startNats } from '@nautilus/bus/testing';

export const container = 'bench';
export const host = 'bench-host';
export const echoSubject = 'bench.echo';

export interface Stage extends AsyncDisposable {
  readonly url: string;
  readonly bus: Bus;
}

export async function setStage(): Promise<Stage> {
  const nats = await startNats({ jetstream: true });
  const directory = mkdtempSync(join(tmpdir(), 'nautilus-bench-'));
  // On tmpfs, where the shipped configuration has it.
  const stateDirectory = mkdtempSync(
    join(existsSync('/dev/shm') ? '/dev/shm' : directory, 'nautilus-bench-'),
  );
  const file = join(directory, 'nautilus.yaml');
  writeFileSync(
    file,
    JSON.stringify({
      host: {
        id: host,
        capacity: '8GiB',
        reserve: '1GiB',
        socket: join(directory, 'agent.sock'),
        state_dir: stateDirectory,
      },
      nats: { servers: [nats.url] },
      log: { level: 'warn' },
      regions: { main: { capacity: '7GiB' } },
      pools: { bench: { region: 'main', max: '7GiB', segment: '64MiB' } },
      containers: { [container]: { min: '6GiB', max: '6GiB' } },
      allocator: { port: 0, lease_ttl: '10m' },
    }),
  );
  const agent = await startAgent(file);
  const bus = await connectBus({ servers: nats.url, name: container });
  return {
    url: nats.url,
    bus,
    async [Symbol.asyncDispose]() {
      await bus.close();
      const ended = new Promise((resolve) => agent.once('close', resolve));
      agent.kill('SIGTERM');
      await ended;
      await nats.stop();
      rmSync(stateDirectory, { recursive: true, force: true });
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function startAgent(file: string): Promise<ChildProcess> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const program = fileURLToPath(new URL(`./agent-process.${extension}`, import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, program, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the agent ended with ${code}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line === 'ready') resolve(child);
      else process.stderr.write(`${line}\n`);
    });
  });
}
