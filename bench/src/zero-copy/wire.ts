/** How the processes of this benchmark hand each other segments: a socket with JSON and descriptors, as the agent does it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Connection, connect, type Descriptor, listen } from '@nautilus/native';

export interface Parcel {
  readonly body: Record<string, unknown>;
  readonly descriptors: readonly Descriptor[];
}

/** What arrives is taken one by one; whoever waits when the peer ends gets an error and not silence. */
export class Wire implements Disposable {
  readonly #connection: Connection;
  readonly #arrived: Parcel[] = [];
  #wake: (() => void) | null = null;
  #ended: string | null = null;

  constructor(connection: Connection) {
    this.#connection = connection;
    connection.onMessage((payload, descriptors) => {
      this.#arrived.push({ body: JSON.parse(payload.toString()) as Record<string, unknown>, descriptors });
      this.#wake?.();
    });
    connection.onClose((reason) => {
      this.#ended = reason;
      this.#wake?.();
    });
  }

  send(body: Record<string, unknown>, descriptors: readonly Descriptor[] = []): void {
    this.#connection.send(Buffer.from(JSON.stringify(body)), descriptors);
  }

  async receive(): Promise<Parcel> {
    for (;;) {
      const parcel = this.#arrived.shift();
      if (parcel !== undefined) return parcel;
      if (this.#ended !== null) throw new Error(`the other process is gone (${this.#ended})`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }
}

export interface Exchange extends Disposable {
  readonly path: string;
  /** The next peer that connects. */
  accept(): Promise<Wire>;
}

export function openExchange(): Exchange {
  const folder = mkdtempSync(join(tmpdir(), 'nautilus-bench-'));
  const path = join(folder, 'peers.sock');
  const waiting: ((wire: Wire) => void)[] = [];
  const listener = listen({
    path,
    onConnection: (connection) => {
      const accept = waiting.shift();
      if (accept === undefined) connection.close();
      else accept(new Wire(connection));
    },
  });
  return {
    path,
    accept: () => new Promise((resolve) => waiting.push(resolve)),
    [Symbol.dispose]() {
      listener.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export async function reach(path: string): Promise<Wire> {
  return new Wire(await connect({ path }));
}
