/**
 * A real HTTP server on a Unix socket that speaks the few calls of the Docker API the agent makes, and misbehaves on
 * demand. What it answers when it behaves was copied from engine 20.10; it enforces nothing but what `onUpdate` does.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { UpdateBody } from '../api.ts';

export interface FakeContainer {
  id: string;
  name: string;
  labels: Record<string, string>;
  status: string;
  pid: number;
  startedAt: string;
  restartCount: number;
  memory: UpdateBody;
  usageBytes: number;
}

/** hang: no answer, the connection stays. half: the connection breaks in the body. deaf: success that changes nothing. */
export type Misbehaviour =
  | 'hang'
  | 'half'
  | 'flood'
  | 'no-json'
  | 'other-json'
  | 'deaf'
  | { readonly status: number; readonly message: string };

const MiB = 1024 * 1024;
const machineBytes = 32 * 1024 * MiB;

export class FakeEngine {
  readonly folder = mkdtempSync(join(tmpdir(), 'nautilus-fake-docker-'));
  readonly socketPath = join(this.folder, 'docker.sock');
  readonly containers = new Map<string, FakeContainer>();
  readonly updates: UpdateBody[] = [];
  /** Stands for what the engine does to the kernel. */
  onUpdate: (container: FakeContainer, body: UpdateBody) => Promise<void> | void = () => undefined;
  /** Called before a call is answered. */
  onCall: (call: string) => void = () => undefined;
  readonly #misbehaviours: { readonly path: RegExp; readonly how: Misbehaviour }[] = [];
  readonly #streams = new Set<ServerResponse>();
  #server: Server | null = null;

  static async start(): Promise<FakeEngine> {
    const engine = new FakeEngine();
    await engine.begin();
    return engine;
  }

  async begin(): Promise<void> {
    const server = createServer((request, response) => void this.#serve(request, response));
    await new Promise<void>((resolve) => server.listen(this.socketPath, resolve));
    this.#server = server;
  }

  /** The socket is gone, and every connection with it. */
  async end(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    this.#streams.clear();
    if (server === null) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  async close(): Promise<void> {
    await this.end();
    rmSync(this.folder, { recursive: true });
  }

  add(digit: string, name: string, more: Partial<FakeContainer> = {}): FakeContainer {
    const container: FakeContainer = {
      id: digit.repeat(64),
      name,
      labels: { 'nautilus.memory': '' },
      status: 'running',
      pid: 1,
      startedAt: '2026-01-01T00:00:00.5Z',
      restartCount: 0,
      memory: { Memory: 64 * MiB, MemorySwap: 64 * MiB, MemoryReservation: 0 },
      usageBytes: 8 * MiB,
      ...more,
    };
    this.containers.set(container.id, container);
    return container;
  }

  /** From now on, until `behave`. The path holds the query, and `METHOD ` before it. */
  misbehave(path: RegExp, how: Misbehaviour): void {
    this.#misbehaviours.push({ path, how });
  }

  behave(): void {
    this.#misbehaviours.length = 0;
  }

  get streams(): number {
    return this.#streams.size;
  }

  emit(action: string, { id }: FakeContainer, pieces = 1): void {
    const line = `${JSON.stringify({ Type: 'container', Action: action, Actor: { ID: id }, timeNano: Date.now() * 1e6 })}\n`;
    const length = Math.ceil(line.length / pieces);
    for (const stream of this.#streams) {
      for (let at = 0; at < line.length; at += length) stream.write(line.slice(at, at + length));
    }
  }

  /** As by a proxy that gives up in the middle of a line. */
  cutStreams(): void {
    for (const stream of this.#streams) {
      stream.write('{"Type":"conta');
      stream.destroy();
    }
    this.#streams.clear();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call = `${request.method} ${request.url}`;
    this.onCall(call);
    const body = await bodyOf(request);
    const how = this.#misbehaviours.find(({ path }) => path.test(call))?.how;
    if (how === 'hang') return;
    if (how === 'half') {
      response.writeHead(200, { 'Content-Length': 1_000 });
      response.write('[{"Id":');
      setTimeout(() => response.destroy(), 5);
      return;
    }
    if (how === 'flood') return void response.end(`[${'"x",'.repeat(2_500_000)}"x"]`);
    if (how === 'no-json') return void response.end('<html>proxy</html>');
    if (how === 'other-json') return void response.end('{"hello":"world"}');
    if (typeof how === 'object') return answer(response, how.status, { message: how.message });
    await this.#answer(call, body, response, how === 'deaf');
  }

  async #answer(call: string, body: string, response: ServerResponse, isDeaf: boolean): Promise<void> {
    const path = call.split('?', 1)[0] ?? '';
    if (path === 'GET /info') {
      const info = { CgroupDriver: 'cgroupfs', CgroupVersion: '2', MemTotal: machineBytes };
      return answer(response, 200, info);
    }
    if (path === 'GET /containers/json')
      return answer(response, 200, [...this.containers.values()].map(listed));
    if (path === 'GET /events') {
      response.writeHead(200).flushHeaders();
      this.#streams.add(response);
      response.once('close', () => this.#streams.delete(response));
      return;
    }
    const [, id = '', verb] = /^\w+ \/containers\/(\w+)\/(\w+)$/.exec(path) ?? [];
    const container = this.containers.get(id);
    if (container === undefined) return answer(response, 404, { message: `No such container: ${id}` });
    if (verb === 'json') return answer(response, 200, inspected(container));
    if (verb === 'stats') return answer(response, 200, statistics(container));
    if (verb !== 'update') return answer(response, 501, { message: `the fake has no ${path}` });
    const update = JSON.parse(body) as UpdateBody;
    this.updates.push(update);
    if (!isDeaf) {
      await this.onUpdate(container, update);
      container.memory = update;
    }
    answer(response, 200, { Warnings: null });
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}

const listed = ({ id, name, labels, status }: FakeContainer) => ({
  Id: id,
  Names: [`/${name}`],
  Labels: labels,
  State: status,
  Created: 1_700_000_000,
});

const inspected = ({ id, name, labels, status, pid, startedAt, restartCount, memory }: FakeContainer) => ({
  Id: id,
  Name: `/${name}`,
  RestartCount: restartCount,
  State: { Status: status, Pid: pid, StartedAt: startedAt },
  Config: { Labels: labels },
  HostConfig: { ...memory, CgroupParent: '', NetworkMode: 'default' },
});

/** As engine 20.10 does it on v2, where "no limit" is the memory of the machine. */
const statistics = ({ usageBytes, memory }: FakeContainer) => ({
  memory_stats: {
    usage: usageBytes + 4 * MiB,
    limit: memory.Memory === 0 ? machineBytes : memory.Memory,
    stats: {
      anon: usageBytes,
      file: 4 * MiB,
      active_file: MiB,
      inactive_file: 3 * MiB,
      shmem: 0,
      slab_reclaimable: 0,
    },
  },
});
