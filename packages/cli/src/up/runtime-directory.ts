/**
 * Everything that a run leaves on disk lies in one private directory, and in one on tmpfs for the agent; both go with it.
 * What a killed run left behind, its directories and its broker, is swept by the next one.
 */
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface RuntimeDirectory {
  readonly path: string;
  /** For the agent's journal: on tmpfs where there is one, because it describes memory and needs no disk. */
  readonly statePath: string;
  /** A process that this run started and that does not end with it by itself. */
  remember(pid: number): void;
  remove(): void;
}

interface RunRecord {
  readonly owner: number;
  readonly statePath: string;
  readonly processes: readonly number[];
}

export const runPrefix = 'nautilus-up-';
const recordName = 'run.json';

/** Not below TMPDIR when that is long: a Unix socket's path has room for about 100 characters. */
export const runsDirectory = () => (tmpdir().length > 60 ? '/tmp' : tmpdir());

export function createRuntimeDirectory(): RuntimeDirectory {
  const path = mkdtempSync(join(runsDirectory(), runPrefix));
  chmodSync(path, 0o700);
  const statePath = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : path, 'nautilus-'));
  const processes: number[] = [];
  const write = () => {
    const record: RunRecord = { owner: process.pid, statePath, processes };
    writeFileSync(join(path, recordName), JSON.stringify(record), { mode: 0o600 });
  };
  write();
  return {
    path,
    statePath,
    remember(pid) {
      processes.push(pid);
      write();
    },
    remove() {
      rmSync(statePath, { recursive: true, force: true });
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/** Removes what runs left whose process is gone; answers their directories. */
export function sweepDeadRuns(): string[] {
  const swept: string[] = [];
  for (const name of readdirSync(runsDirectory()).filter((entry) => entry.startsWith(runPrefix))) {
    const path = join(runsDirectory(), name);
    const record = readRecord(join(path, recordName));
    if (record === null || isAlive(record.owner)) continue;
    for (const pid of record.processes) if (isBrokerOf(pid, path)) process.kill(pid, 'SIGTERM');
    rmSync(record.statePath, { recursive: true, force: true });
    rmSync(path, { recursive: true, force: true });
    swept.push(path);
  }
  return swept;
}

/** Whether the process that made this directory still runs. */
export function isLiveRun(path: string): boolean {
  const record = readRecord(join(path, recordName));
  return record !== null && isAlive(record.owner);
}

function readRecord(path: string): RunRecord | null {
  if (!existsSync(path)) return null;
  try {
    const record = JSON.parse(readFileSync(path, 'utf8')) as RunRecord;
    const isOurs =
      Number.isInteger(record.owner) &&
      record.statePath.includes('nautilus-') &&
      Array.isArray(record.processes);
    return isOurs ? record : null;
  } catch {
    // Half a record: its run is being set up right now, or is not ours to judge.
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** A number is used again after a while: only a process that was started with this very directory is ended. */
function isBrokerOf(pid: number, directory: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(directory);
  } catch {
    return false;
  }
}
