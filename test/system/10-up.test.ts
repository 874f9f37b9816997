/** `npm run up -- --check` from source: everything starts, the demo works, a killed container's memory comes back, nothing is left. */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { upSite } from '../support/up.ts';

const sharedMemory = () =>
  readdirSync('/dev/shm')
    .filter((name) => name.startsWith('nautilus-'))
    .sort();

describe('nautilus up --check', () => {
  it('verifies the whole system and leaves nothing behind', async (context) => {
    if (process.platform !== 'linux') {
      context.skip('looks into /proc and /dev/shm, which only Linux has');
      return;
    }
    const site = await upSite();
    const memoryBefore = sharedMemory();
    await using run = site.run(['up', '--check', '--seconds', '20']);
    const verdict = await run.line((line) => 'ok' in line, 100_000);
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
    expect(await run.ended).toBe(0);
    expect(site.leftovers()).toEqual({ files: [], processes: 0 });
    expect(sharedMemory()).toEqual(memoryBefore);
    site.remove();
  }, 120_000);
});
