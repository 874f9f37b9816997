/** A Docker engine of our own with a network, for the time of one run; ended, it leaves neither mounts nor rules. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const patienceMs = 30_000;

export class Engine {
  folder = mkdtempSync(join(tmpdir(), 'nautilus-stack-'));
  socket = join(this.folder, 'docker.sock');
  env = {
    ...process.env,
    DOCKER_HOST: `unix://${this.socket}`,
    DOCKER_BUILDKIT: '0',
    COMPOSE_DOCKER_CLI_BUILD: '0',
  };
  #daemon = null;

  async start() {
    const log = openSync(join(this.folder, 'log'), 'a');
    const options = {
      host: `unix://${this.socket}`,
      'data-root': join(this.folder, 'data'),
      'exec-root': join(this.folder, 'exec'),
      pidfile: join(this.folder, 'pid'),
    };
    const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
    this.#daemon = spawn('dockerd', args, { stdio: ['ignore', log, log], detached: true });
    const until = performance.now() + patienceMs;
    while (!this.#answers()) {
      if (this.#daemon.exitCode !== null || performance.now() > until) {
        const last = readFileSync(join(this.folder, 'log'), 'utf8').trim().split('\n').slice(-3).join(' | ');
        throw new Error(`the engine does not answer: ${last}`);
      }
      await sleep(100);
    }
  }

  /** Runs a command against this engine and answers its output; what it says is part of the error. */
  run = (command, args, options = {}) =>
    execFileSync(command, args, {
      env: this.env,
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...options,
    });

  async stop() {
    if (this.#daemon !== null && this.#daemon.exitCode === null) {
      const ended = new Promise((resolve) => this.#daemon.once('exit', resolve));
      this.#daemon.kill('SIGTERM');
      await ended;
    }
    const mounts = readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '');
    for (const mount of mounts.filter((path) => path.startsWith(`${this.folder}/`)).reverse())
      execFileSync('umount', [mount]);
    rmSync(this.folder, { recursive: true, force: true });
  }

  #answers() {
    try {
      this.run('docker', ['version']);
      return true;
    } catch {
      return false;
    }
  }
}
