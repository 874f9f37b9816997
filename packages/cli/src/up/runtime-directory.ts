/** Everything that a run leaves on disk lies in one private directory, and in one on tmpfs for the agent; both go with it. */
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface RuntimeDirectory {
  readonly path: string;
  /** For the agent's journal: on tmpfs where there is one, because it describes memory and needs no disk. */
  readonly statePath: string;
  remove(): void;
}

export function createRuntimeDirectory(): RuntimeDirectory {
  // Not below TMPDIR when that is long: a Unix socket's path has room for about 100 characters.
  const base = tmpdir().length > 60 ? '/tmp' : tmpdir();
  const path = mkdtempSync(join(base, 'nautilus-'));
  chmodSync(path, 0o700);
  const statePath = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : path, 'nautilus-'));
  return {
    path,
    statePath,
    remove() {
      rmSync(statePath, { recursive: true, force: true });
      rmSync(path, { recursive: true, force: true });
    },
  };
}
