/** `npm run up -- --check` from source: everything starts, the demo works, a killed container's memory comes back, nothing is left. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runProgram } from '../support/spawn.ts';

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

const sharedMemory = () =>
  readdirSync('/dev/shm')
    .filter((name) => name.startsWith('nautilus-'))
    .sort();
/** Processes whose environment names this run's directory. */
function processesOf(directory: string, list: () => string[]): string[] {
  return list().filter((line) => line.includes(directory));
}

describe('nautilus up --check', () => {
  it('verifies the whole system and leaves nothing behind', async (context) => {
    if (process.platform !== 'linux') {
      context.skip('looks into /proc and /dev/shm, which only Linux has');
      return;
    }
    const directory = mkdtempSync(join(tmpdir(), 'nautilus-up-'));
    const temporary = join(directory, 'tmp');
    mkdirSync(temporary);
    const memoryBefore = sharedMemory();
    const ports = await Promise.all(
      ['MONITOR', 'ALLOCATOR', 'ORCHESTRATOR', 'MAINTENANCE'].map(async (name) => [
        `NAUTILUS_${name}__PORT`,
        String(await freePort()),
      ]),
    );
    await using run = runProgram(
      new URL('../../packages/cli/src/main.ts', import.meta.url),
      ['up', '--check', '--seconds', '20'],
      {
        ...Object.fromEntries(ports),
        TMPDIR: temporary,
        TSX_DISABLE_CACHE: '1',
      },
    );
    const verdict = await run.line((line) => 'ok' in line, 100_000);
    const code = await run.ended;
    expect(verdict, JSON.stringify(verdict['problems'])).toMatchObject({
      ok: true,
      problems: [],
      bytesCopied: 0,
    });
    expect(Object.keys(verdict['services'] as object).sort()).toEqual([
      'allocator',
      'maintenance',
      'monitor',
      'orchestrator',
    ]);
    expect(Object.keys(verdict['containers'] as object)).toHaveLength(7);
    expect(verdict['segments']).toBeGreaterThan(0);
    expect(verdict['bytesShared']).toBeGreaterThan(0);
    expect(verdict['allocations']).toBeGreaterThan(1000);
    expect(verdict['reclaimedAfterKillMs']).toBeLessThanOrEqual(100);
    expect(code).toBe(0);

    expect(readdirSync(temporary)).toEqual([]);
    expect(sharedMemory()).toEqual(memoryBefore);
    const commandLines = () =>
      readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .map((pid) => readEnvironment(pid));
    expect(processesOf(temporary, commandLines)).toEqual([]);
    rmSync(directory, { recursive: true });
  }, 120_000);
});

function readEnvironment(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    // The process ended while we looked.
    return '';
  }
}
