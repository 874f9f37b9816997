/** Starts broker, services and demo in order, and stops them in reverse, so that nothing is left behind. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bus, connectBus } from '@nautilus/bus';
import type { Config } from '@nautilus/contracts';
import { joinFileName } from '../connection/join-file.ts';
import { type Broker, foreignBroker, startBroker } from './broker.ts';
import { createIdentities } from './identities.ts';
import { mainOf, nodeCommand } from './launch.ts';
import { Observer } from './observer.ts';
import { assertPortsFree } from './ports.ts';
import { Child } from './process.ts';
import { createRuntimeDirectory, type RuntimeDirectory, sweepDeadRuns } from './runtime-directory.ts';
import {
  demoContainers,
  guestContainer,
  type Readiness,
  readiness,
  type ServiceRow,
  serviceRows,
} from './services.ts';

export interface StackOptions {
  readonly config: Config;
  readonly configFile: string | null;
  readonly natsUrl: string | null;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

const readyPatienceMs = 30_000;
const pollMs = 50;
const stopPatienceMs = 15_000;

export class Stack {
  readonly config: Config;
  readonly rows: readonly ServiceRow[];
  readonly observer = new Observer(() => performance.now());
  readonly containers = new Map<string, Child>();
  readonly services = new Map<string, Child>();
  readonly #options: StackOptions;
  readonly #directory: RuntimeDirectory;
  #broker: Broker | null = null;
  #bus: Bus | null = null;
  #stopping = false;

  constructor(options: StackOptions) {
    this.#options = options;
    for (const path of sweepDeadRuns()) options.say(`removed what a killed run left in ${path}`);
    this.#directory = createRuntimeDirectory();
    this.config = options.config;
    this.rows = serviceRows(options.config);
  }

  get url(): string {
    return this.#broker?.url ?? '';
  }

  get enforcesIdentity(): boolean {
    return this.#broker?.identities != null;
  }

  async start(): Promise<void> {
    const { natsUrl, config, say, signal } = this.#options;
    const path = this.#directory.path;
    await assertPortsFree(this.rows);
    const parties = [...demoContainers, guestContainer];
    this.#broker =
      natsUrl === null
        ? await startBroker(path, createIdentities(path, config.host.id, parties))
        : await foreignBroker(natsUrl);
    if (this.#broker.pid !== null) this.#directory.remember(this.#broker.pid);
    say(
      `NATS at ${this.#broker.url}${natsUrl === null ? '' : ' (NATS_URL; it does not hold our parties to their roles)'}`,
    );
    this.#writeGuestFile();
    this.#writeJoinFile();
    for (const row of this.rows) this.#startService(row);
    await Promise.all(this.rows.map((row) => this.#untilReady(row)));
    say(`services ready: ${this.rows.map((row) => `${row.name} :${row.port}`).join(', ')}`);
    const { identities } = this.#broker;
    this.#bus = await connectBus({
      servers: this.#broker.url,
      name: 'operator',
      credentials: identities === null ? null : { nkeySeed: identities.operatorSeed },
      signal,
    });
    await this.observer.watch(this.#bus, config.host.id);
    for (const container of demoContainers) this.#startContainer(container);
    say(`demo started: ${demoContainers.join(', ')}`);
  }

  /** Shell words that make a program of the reader's own the container which is kept free for that. */
  get guestCommand(): string {
    return `set -a; . ${this.#guestFile}`;
  }

  get #guestFile(): string {
    return join(this.#directory.path, 'guest.env');
  }

  #writeGuestFile(): void {
    const seed = this.#broker?.identities?.seedFile(guestContainer);
    const lines = [
      `NAUTILUS_CONTAINER=${guestContainer}`,
      `NAUTILUS_HOST__ID=${this.config.host.id}`,
      `NAUTILUS_NATS__SERVERS=${this.url}`,
      ...(seed === undefined ? [] : [`NAUTILUS_NATS__SEED_FILE=${seed}`]),
    ];
    writeFileSync(this.#guestFile, `${lines.join('\n')}\n`, { mode: 0o600 });
  }

  /** For the other commands, which find the newest run by it. */
  #writeJoinFile(): void {
    const join = {
      host: this.config.host.id,
      servers: [this.url],
      seeds: this.#broker?.identities?.directory ?? null,
    };
    writeFileSync(`${this.#directory.path}/${joinFileName}`, `${JSON.stringify(join)}\n`, { mode: 0o600 });
  }

  /** Whether the process that this run started is there, and ready. */
  async serviceState(row: ServiceRow): Promise<Readiness> {
    const child = this.services.get(row.name);
    if (child?.alive !== true)
      return { ready: false, reason: `ended: ${child?.lastWords ?? 'never started'}` };
    return readiness(row.port);
  }

  /** Problems met on the way; empty when everything ended in order and in time. */
  async stop(): Promise<string[]> {
    this.#stopping = true;
    const problems: string[] = [];
    const stop = async (child: Child) => {
      if (!(await child.stop(stopPatienceMs))) problems.push(`${child.name} had to be killed`);
    };
    await Promise.all([...this.containers.values()].map(stop));
    await this.#bus
      ?.close()
      .catch((error: unknown) => problems.push(`the connection did not close: ${String(error)}`));
    for (const row of [...this.rows].reverse()) {
      const child = this.services.get(row.name);
      if (child !== undefined) await stop(child);
    }
    if (this.#broker !== null && !(await this.#broker.stop())) problems.push('nats-server had to be killed');
    this.#directory.remove();
    return problems;
  }

  #environment(party: string): NodeJS.ProcessEnv {
    const broker = this.#broker;
    const seedFile = broker?.identities?.seedFile(party);
    return {
      ...process.env,
      ...(this.#options.configFile === null ? {} : { NAUTILUS_CONFIG: this.#options.configFile }),
      ...(seedFile === undefined ? {} : { NAUTILUS_NATS__SEED_FILE: seedFile }),
      NAUTILUS_NATS__SERVERS: `["${broker?.url ?? ''}"]`,
      NAUTILUS_HOST__SOCKET: `${this.#directory.path}/agent.sock`,
      NAUTILUS_HOST__STATE_DIR: this.#directory.statePath,
      NAUTILUS_MONITOR__HISTORY_DIR: `${this.#directory.path}/history`,
      NAUTILUS_STOP_WITH_PARENT: '1',
    };
  }

  #startService(row: ServiceRow): void {
    const child = new Child({
      name: row.name,
      ...nodeCommand(mainOf(row.packageName)),
      env: this.#environment(row.party),
      onExit: ({ code, signal, lastWords }) => {
        if (!this.#stopping) this.#options.say(`${row.name} ended (${signal ?? code}):\n${lastWords}`);
      },
    });
    this.services.set(row.name, child);
  }

  #startContainer(container: string): void {
    const child = new Child({
      name: container,
      ...nodeCommand(mainOf('@nautilus/examples'), container),
      env: {
        ...this.#environment(container),
        NAUTILUS_HOST__ID: this.config.host.id,
        ...(this.#broker?.identities == null
          ? {}
          : { NAUTILUS_SEED_FILE: this.#broker.identities.seedFile(container) }),
      },
      onLine: (line) => this.observer.line(container, line),
      onExit: ({ code, signal, lastWords }) => {
        if (!this.#stopping && signal !== 'SIGKILL')
          this.#options.say(`${container} ended (${signal ?? code}):\n${lastWords}`);
      },
    });
    this.containers.set(container, child);
  }

  async #untilReady(row: ServiceRow): Promise<void> {
    const deadline = performance.now() + readyPatienceMs;
    const child = this.services.get(row.name);
    let reason: string | null = 'it did not answer';
    while (performance.now() < deadline && !this.#options.signal.aborted) {
      if (child?.alive !== true)
        throw new Error(`${row.name} ended before it was ready:\n${child?.lastWords ?? ''}`);
      const state = await readiness(row.port);
      if (state.ready) return;
      reason = state.reason;
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
    throw new Error(
      `${row.name} is not ready after ${readyPatienceMs / 1000} s: ${reason}\n${child?.lastWords ?? ''}`,
    );
  }
}
