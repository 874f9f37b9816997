/** A full filesystem under the agent's state: leases are refused with the reason, nothing crashes, and it heals by itself. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exchanges } from '@nautilus/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Host, startHost } from '../support/host.ts';

const mib = 2 ** 20;

/** A tmpfs of 2 MiB, or why there cannot be one. */
function mountSmall(): { path: string; reason: null } | { path: null; reason: string } {
  const path = mkdtempSync(join(tmpdir(), 'nautilus-small-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', path], { encoding: 'utf8' });
  if (mounted.status === 0) return { path, reason: null };
  rmSync(path, { recursive: true });
  return {
    path: null,
    reason: `needs the right to mount a tmpfs: ${mounted.stderr?.trim() ?? mounted.error?.message}`,
  };
}

describe('a full filesystem', () => {
  const small = mountSmall();
  let host: Host | null = null;
  beforeAll(async () => {
    if (small.path !== null)
      host = await startHost({
        host: { id: 'h1', socket: join(small.path, 's'), state_dir: join(small.path, 'state') },
      });
  });
  afterAll(async () => {
    await host?.[Symbol.asyncDispose]();
    if (small.path === null) return;
    spawnSync('umount', [small.path]);
    rmSync(small.path, { recursive: true, force: true });
  });

  it('refuses leases that it cannot write down, keeps the books exact, and leases again when there is room', async (context) => {
    if (small.path === null || host === null) {
      context.skip(small.reason ?? 'no host');
      return;
    }
    const at = { host: 'h1', party: 'reporting' };
    const books = async () => (await host?.bus.request(exchanges.describeSegments, at, {}))?.leasedBytes;
    const filler = join(small.path, 'filler');
    const lease = () => host?.bus.request(exchanges.leaseSegment, at, { pool: 'temporary', bytes: 4096 });
    const first = await lease();
    try {
      writeFileSync(filler, Buffer.alloc(3 * mib));
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
    }
    // The last page of the journal may have room for a few more lines.
    let refused: unknown = null;
    let granted = 1;
    for (let turn = 0; turn < 200 && refused === null; turn += 1) {
      await lease()?.then(
        () => {
          granted += 1;
        },
        (error: unknown) => {
          refused = error;
        },
      );
    }
    expect(refused).toMatchObject({
      code: 'storage_full',
      message: expect.stringContaining('host.state_dir'),
    });
    expect(await books()).toBe(granted * 4096);
    // A kept block needs a file as large as its segment.
    await expect(
      host.bus.request(exchanges.allocateBlock, at, { pool: 'temporary', bytes: mib }),
    ).rejects.toMatchObject({ code: 'storage_full' });
    expect(await books()).toBe(granted * 4096);
    rmSync(filler);
    await lease();
    expect(await books()).toBe((granted + 1) * 4096);
    expect(first?.bytes).toBe(4096);
  });
});
