/**
 * The agent's private directory: lock, signing key, journal, kept segments. One agent a directory, held by a file lock
 * that the kernel gives back when the agent dies, however it dies.
 */
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fail, ok, type Result } from '@nautilus/contracts';
import { type Descriptor, tryLockFile } from '@nautilus/native';
import { Journal, type JournalEntry } from './journal.ts';

export interface StateDirectory {
  readonly path: string;
  readonly key: Buffer;
  readonly journal: Journal;
  readonly entries: readonly JournalEntry[];
  readonly damage: string | null;
  /** Tells this machine and directory from any other: presence records carry it. */
  readonly machine: string;
  /** Removes files of kept segments that no lease knows. */
  sweep(known: ReadonlySet<string>): string[];
  /** Gives the lock back; with `empty` also removes everything, because no lease needs it any more. */
  close(options: { empty: boolean }): void;
}

const keyBytes = 32;

export function openStateDirectory(path: string, bootId: string | null): Result<StateDirectory> {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const found = lstatSync(path);
    const own = process.getuid?.();
    if (!found.isDirectory() || (own !== undefined && found.uid !== own)) {
      return fail(
        'config_invalid',
        `host.state_dir ${path} is not a directory of this user; remove it or choose another`,
      );
    }
    chmodSync(path, 0o700);
    const lockPath = join(path, 'lock');
    const lock = tryLockFile(lockPath);
    if (lock === null) {
      return fail(
        'host_taken',
        `another agent holds ${lockPath}; stop it, or give this one its own host.id, host.socket and host.state_dir`,
      );
    }
    return ok(open(path, lock, bootId));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const reason = error instanceof Error ? error.message : String(error);
    if (code === 'ENOSPC') return fail('storage_full', `host.state_dir ${path}: ${reason}`);
    return fail('config_invalid', `host.state_dir ${path} cannot be used: ${reason}`);
  }
}

function open(path: string, lock: Descriptor, bootId: string | null): StateDirectory {
  forgetOtherBoot(path, bootId);
  const key = readKey(join(path, 'key'));
  const { journal, entries, damage } = Journal.open(path);
  const { dev, ino } = statSync(join(path, 'lock'));
  return {
    path,
    key,
    journal,
    entries,
    damage,
    machine: `${bootId ?? 'unknown-boot'}:${dev}:${ino}`,
    sweep(known) {
      const stray = readdirSync(path).filter((name) => name.startsWith('s-') && !known.has(name));
      for (const name of stray) rmSync(join(path, name));
      return stray;
    },
    close({ empty }) {
      journal.close();
      if (empty) rmSync(path, { recursive: true, force: true });
      lock.close();
    },
  };
}

/** What a journal of another boot describes died with that boot: memory does not outlive its machine. */
function forgetOtherBoot(path: string, bootId: string | null): void {
  const file = join(path, 'boot');
  const now = bootId ?? '';
  if (existsSync(file) && readFileSync(file, 'utf8') !== now) {
    for (const name of readdirSync(path)) if (name !== 'lock') rmSync(join(path, name), { recursive: true });
  }
  writeFileSync(file, now, { mode: 0o600 });
}

function readKey(path: string): Buffer {
  if (existsSync(path)) {
    const key = readFileSync(path);
    if (key.length === keyBytes) return key;
  }
  const key = randomBytes(keyBytes);
  writeFileSync(path, key, { mode: 0o600 });
  return key;
}
