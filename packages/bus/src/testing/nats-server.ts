/**
 * A real nats-server for tests, on a free port of 127.0.0.1. There is no fake: what breaks in production (restarts,
 * pauses, lost stores) is what the tests do to it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface NatsServerOptions {
  /** False: core NATS only. */
  jetstream?: boolean;
  /** Text of a configuration file; `listen` and `store_dir` are given on the command line. */
  config?: string;
  /** Kept when given, otherwise made and removed. */
  storeDir?: string;
  port?: number;
}

export interface NatsServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly storeDir: string;
  /** Resolves when the process has ended. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  kill(): Promise<void>;
  pause(): void;
  resume(): void;
  /** On the same port; without its store, as after a lost disk. */
  restart(options: { keepStore: boolean }): Promise<void>;
  /** What the server wrote, for a failed test. */
  log(): string;
}

async function findBinary(): Promise<string> {
  const given = process.env['NATS_SERVER_BINARY'];
  const candidates =
    given === undefined
      ? (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'nats-server'))
      : [given];
  for (const candidate of candidates) {
    const usable = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (usable) return candidate;
  }
  throw new Error(
    given === undefined
      ? 'tests need a nats-server: install it (Debian: nats-server) or name it in NATS_SERVER_BINARY'
      : `NATS_SERVER_BINARY names ${given}, which cannot be run`,
  );
}

const startTimeoutMs = 15_000;
const pollMs = 10;

/** The server writes its ports into a file when it listens; it takes a port itself, so no two tests race for one. */
async function readPort(folder: string, child: ChildProcess, output: () => string): Promise<number> {
  const until = Date.now() + startTimeoutMs;
  while (Date.now() < until) {
    if (child.exitCode !== null) throw new Error(`nats-server ended at start:\n${output()}`);
    const file = (await readdir(folder)).find((name) => name.endsWith('.ports'));
    if (file !== undefined) {
      const text = await readFile(join(folder, file), 'utf8');
      const url = /(?:nats|tls):\/\/[^"]*:(\d+)/.exec(text);
      if (url !== null) return Number(url[1]);
    }
    await sleep(pollMs);
  }
  throw new Error(`nats-server did not listen within ${startTimeoutMs} ms:\n${output()}`);
}

/** Listening is not serving: the greeting comes when the server, JetStream included, is ready. */
async function greets(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  try {
    await once(socket, 'data', { signal: AbortSignal.timeout(1_000) });
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Starts a server and resolves when it answers. `await using` stops it and removes what it wrote. */
export async function startNats(options: NatsServerOptions = {}): Promise<NatsServer> {
  const binary = await findBinary();
  const folder = await mkdtemp(join(tmpdir(), 'nautilus-nats-'));
  const storeDir = options.storeDir ?? join(folder, 'store');
  const configFile = join(folder, 'nats.conf');
  if (options.config !== undefined) await writeFile(configFile, options.config);
  let port = options.port ?? -1;
  let output = '';
  let child: ChildProcess;

  const start = async (): Promise<void> => {
    const ports = await mkdtemp(join(folder, 'ports-'));
    const flags = ['-a', '127.0.0.1', '-p', String(port), '--ports_file_dir', ports];
    if (options.jetstream === true) flags.push('-js', '-sd', storeDir);
    if (options.config !== undefined) flags.push('-c', configFile);
    child = spawn(binary, flags, { stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.once('error', (error) => {
      output += String(error);
    });
    port = await readPort(ports, child, () => output);
    const until = Date.now() + startTimeoutMs;
    while (!(await greets(port))) {
      if (Date.now() > until) throw new Error(`nats-server does not greet on port ${port}:\n${output}`);
      await sleep(pollMs);
    }
  };

  // A test that hangs is ended from outside, and its server must not outlive it.
  const killAtExit = (): void => void child.kill('SIGKILL');
  process.once('exit', killAtExit);

  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    // A paused process takes no other signal but SIGKILL.
    if (signal !== 'SIGKILL') child.kill('SIGCONT');
    child.kill(signal);
    await ended;
  };

  try {
    await start();
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  return {
    get url() {
      return `nats://127.0.0.1:${port}`;
    },
    get port() {
      return port;
    },
    get pid() {
      return child.pid ?? -1;
    },
    storeDir,
    stop,
    kill: () => stop('SIGKILL'),
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async restart({ keepStore }) {
      await stop();
      if (!keepStore) await rm(storeDir, { recursive: true, force: true });
      await start();
    },
    log: () => output,
    async [Symbol.asyncDispose]() {
      process.off('exit', killAtExit);
      await stop('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
