/** `nautilus up` as a process with a temporary directory and ports of its own, so that what it leaves behind can be seen. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Program, runProgram } from './spawn.ts';

const services = ['MONITOR', 'ALLOCATOR', 'ORCHESTRATOR', 'MAINTENANCE'] as const;

export interface UpSite {
  readonly ports: Readonly<Record<(typeof services)[number], number>>;
  run(args: readonly string[], env?: NodeJS.ProcessEnv): Program;
  /** Files in the temporary directory, and processes that were started with it. */
  leftovers(): { files: string[]; processes: number };
  remove(): void;
}

export async function upSite(): Promise<UpSite> {
  const directory = mkdtempSync(join(tmpdir(), 'nautilus-system-'));
  const temporary = join(directory, 'tmp');
  mkdirSync(temporary);
  const found = await Promise.all(services.map(async (name) => [name, await freePort()] as const));
  const ports = Object.fromEntries(found) as UpSite['ports'];
  return {
    ports,
    run: (args, env = {}) =>
      runProgram(new URL('../../packages/cli/src/main.ts', import.meta.url), args, {
        ...Object.fromEntries(found.map(([name, port]) => [`NAUTILUS_${name}__PORT`, String(port)])),
        TMPDIR: temporary,
        TSX_DISABLE_CACHE: '1',
        ...env,
      }),
    leftovers: () => ({
      files: readdirSync(temporary),
      processes: readdirSync('/proc').filter(
        (name) => /^\d+$/.test(name) && environmentOf(name).includes(temporary),
      ).length,
    }),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    // The process ended while we looked.
    return '';
  }
}
