/**
 * A Docker engine for tests: one of our own, with its own directory, socket and parent cgroup, so that it may be
 * restarted, stopped and killed, and leaves nothing; and an image of one small program, because no registry is at hand.
 */
import { type ChildProcess, execFileSync, type StdioOptions, spawn } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import Docker from 'dockerode';
import { detectHierarchy, type Hierarchy } from '../../cgroup/detect.ts';
import { kernelFiles } from '../../cgroup/files.ts';

const image = 'nautilus-test:hog';
const patienceMs = 20_000;

export interface StartedContainer {
  readonly id: string;
  readonly name: string;
  /** Runs steps of the program beside it, in the same cgroup, and leaves it running. */
  also(...steps: string[]): Promise<void>;
  remove(): Promise<void>;
}

export interface ContainerWish {
  readonly steps?: readonly string[];
  readonly memoryBytes?: number;
  readonly swapBytes?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly restart?: 'always' | 'no';
}

export class TestEngine {
  readonly folder = mkdtempSync(join(tmpdir(), 'nautilus-docker-'));
  readonly socketPath = join(this.folder, 'docker.sock');
  readonly cgroupParent = `nautilus-docker-${process.pid}`;
  readonly docker = new Docker({ socketPath: this.socketPath, protocol: 'http' });
  #daemon: ChildProcess | null = null;
  #containerd: ChildProcess | null = null;

  static async start(program: string): Promise<TestEngine> {
    const engine = new TestEngine();
    try {
      await engine.begin();
      const archive = execFileSync('tar', ['-C', dirname(program), '-c', basename(program)]);
      const target = { repo: 'nautilus-test', tag: 'hog' };
      const progress = await engine.docker.importImage(Readable.from([archive]), target);
      progress.resume();
      await finished(progress);
      return engine;
    } catch (error) {
      await engine.close();
      throw error;
    }
  }

  /** Without a network: no packet leaves it, and no rule of a firewall is written. */
  async begin(): Promise<void> {
    const log = openSync(join(this.folder, 'log'), 'a');
    const stdio: StdioOptions = ['ignore', log, log];
    // Apart from dockerd, as a distribution has it: one that dockerd starts dies with it.
    const address = join(this.folder, 'containerd.sock');
    if (this.#containerd === null) {
      const config = join(this.folder, 'containerd.toml');
      const paths = { root: 'containerd', state: 'containerd-state' };
      const lines = Object.entries(paths).map(([name, path]) => `${name} = "${join(this.folder, path)}"`);
      writeFileSync(
        config,
        `version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n${lines.join('\n')}\n`,
      );
      this.#containerd = spawn('containerd', ['--config', config, '--address', address], {
        stdio,
        detached: true,
      });
      await this.#until('has its containerd', async () => existsSync(address));
    }
    const options = {
      containerd: address,
      host: `unix://${this.socketPath}`,
      'data-root': join(this.folder, 'data'),
      'exec-root': join(this.folder, 'exec'),
      pidfile: join(this.folder, 'pid'),
      'cgroup-parent': `/${this.cgroupParent}`,
      'live-restore': 'true',
      bridge: 'none',
      iptables: 'false',
      'ip-forward': 'false',
      'ip-masq': 'false',
    };
    const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
    this.#daemon = spawn('dockerd', args, { stdio, detached: true });
    await this.#until('answers', async () => {
      if (!this.#isRunning()) throw new Error(`dockerd ended:\n${this.#log()}`);
      return await this.docker.ping().then(
        () => true,
        () => false,
      );
    });
  }

  /** SIGKILL: as a crash; SIGTERM: as a restart of the service. Containers live on. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (this.#daemon === null || !this.#isRunning()) return;
    this.#daemon.kill('SIGCONT');
    await ended(this.#daemon, signal);
  }

  /** The engine neither answers nor breaks its connections. */
  hang(): void {
    this.#daemon?.kill('SIGSTOP');
  }

  goOn(): void {
    this.#daemon?.kill('SIGCONT');
  }

  async run(name: string, wish: ContainerWish = {}): Promise<StartedContainer> {
    const { steps = [], memoryBytes = 0, swapBytes = 0, labels = {}, restart = 'no' } = wish;
    const container = await this.docker.createContainer({
      name,
      Image: image,
      Cmd: ['/hog', ...steps],
      Labels: labels,
      HostConfig: {
        NetworkMode: 'none',
        Memory: memoryBytes,
        MemorySwap: swapBytes,
        RestartPolicy: { Name: restart },
      },
    });
    await container.start();
    return {
      id: container.id,
      name,
      also: async (...more) => {
        const exec = await container.exec({ Cmd: ['/hog', ...more] });
        await exec.start({ Detach: true });
      },
      remove: async () => {
        await container.remove({ force: true });
      },
    };
  }

  /** Where this engine puts the memory cgroup of a container; read past the runtime under test. */
  cgroupOf(id: string): string {
    const v1 = join('/sys/fs/cgroup/memory', this.cgroupParent, id);
    return existsSync(v1) ? v1 : join('/sys/fs/cgroup', this.cgroupParent, id);
  }

  kernelFile(id: string, file: { readonly v1: string; readonly v2: string }): string {
    const directory = this.cgroupOf(id);
    const isV1 = directory.startsWith('/sys/fs/cgroup/memory/');
    return readFileSync(join(directory, isV1 ? file.v1 : file.v2), 'utf8').trim();
  }

  /** Back to an engine that runs, whatever a test did to it. */
  async restore(): Promise<void> {
    this.goOn();
    if (!this.#isRunning()) await this.begin();
  }

  async close(): Promise<void> {
    // Containers outlive their engine: without one, nobody could remove them.
    await this.restore();
    const left = await this.docker.listContainers({ all: true });
    for (const { Id } of left) await this.docker.getContainer(Id).remove({ force: true });
    await this.end('SIGTERM');
    if (this.#containerd !== null) await ended(this.#containerd, 'SIGTERM');
    const mounts = readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '');
    for (const mount of mounts.filter((path) => path.startsWith(`${this.folder}/`)).reverse()) {
      execFileSync('umount', [mount]);
    }
    rmSync(this.folder, { recursive: true, force: true });
    for (const root of ['/sys/fs/cgroup', ...hierarchies()]) {
      const parent = join(root, this.cgroupParent);
      if (existsSync(parent)) rmdirSync(parent);
    }
  }

  #isRunning(): boolean {
    return this.#daemon !== null && this.#daemon.exitCode === null && this.#daemon.signalCode === null;
  }

  async #until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    const endMs = performance.now() + patienceMs;
    while (!(await isSo())) {
      if (performance.now() > endMs)
        throw new Error(`no engine that ${what} in ${patienceMs} ms:\n${this.#log()}`);
      await sleep(20);
    }
  }

  #log(): string {
    return readFileSync(join(this.folder, 'log'), 'utf8').slice(-2_000);
  }
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await exit;
}

function hierarchies(): string[] {
  const entries = readdirSync('/sys/fs/cgroup', { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join('/sys/fs/cgroup', name));
}

/** `program`: as built by the step that runs these tests. */
export async function startEngine(): Promise<TestEngine> {
  const program = process.env['NAUTILUS_TEST_HOG'];
  if (program === undefined) throw new Error('NAUTILUS_TEST_HOG is not set; run npm run test:docker');
  return await TestEngine.start(program);
}

export async function hierarchyHere(): Promise<Hierarchy> {
  return await detectHierarchy(kernelFiles, readFileSync('/proc/self/mountinfo', 'utf8'));
}
