/** The agent's Unix socket: accepts peers up to a limit, throws out those that say nothing valid in time. */
import { maximumFrameBytes } from '@nautilus/contracts';
import { type Connection, type Listener, listen } from '@nautilus/native';
import type { Exchange } from '../memory/exchange.ts';
import type { SegmentTable } from '../memory/table.ts';
import { Session } from './session.ts';

export interface SocketServerOptions {
  readonly path: string;
  readonly exchange: Exchange;
  readonly table: SegmentTable;
  readonly handshakeTimeoutMs: number;
  readonly maximumConnections: number;
  readonly log: { warn(fields: object, message: string): void; debug(fields: object, message: string): void };
}

export class SocketServer {
  readonly #options: SocketServerOptions;
  readonly #sessions = new Map<number, Session>();
  #listener: Listener | null = null;
  #nextSession = 1;

  constructor(options: SocketServerOptions) {
    this.#options = options;
  }

  get connections(): number {
    return this.#sessions.size;
  }

  /** The processes that hold segments, by container. A peer in another process namespace has no number here. */
  processes(): ReadonlyMap<string, readonly number[]> {
    const found = new Map<string, number[]>();
    for (const lease of this.#options.table.leases.values()) {
      for (const id of lease.holders) {
        const pid = this.#sessions.get(id)?.pid ?? 0;
        const known = found.get(lease.container) ?? [];
        if (pid > 0 && !known.includes(pid)) found.set(lease.container, [...known, pid]);
      }
    }
    return found;
  }

  start(): void {
    this.#listener = listen({
      path: this.#options.path,
      // Reachable for containers of every user: the ticket is the right, not the file mode.
      mode: 0o666,
      maxFrameBytes: maximumFrameBytes,
      onConnection: (connection) => this.#accept(connection),
    });
  }

  letGo(session: number, segment: string, reason: string): void {
    this.#sessions.get(session)?.letGo(segment, reason);
  }

  /** What the peers hold outlives this server. */
  stop(): void {
    this.#listener?.close();
    this.#listener = null;
    for (const session of [...this.#sessions.values()]) session.abandon();
  }

  #accept(connection: Connection): void {
    const { handshakeTimeoutMs, maximumConnections, log, table, exchange } = this.#options;
    const id = this.#nextSession;
    this.#nextSession += 1;
    const session = new Session({
      id,
      connection,
      exchange,
      table,
      onViolation: (reason) => {
        table.counters.protocolViolations += 1;
        log.warn({ session: id, peer: connection.peer, reason }, 'socket peer closed');
      },
      onClose: () => {
        clearTimeout(handshake);
        this.#sessions.delete(id);
        log.debug({ session: id }, 'socket peer gone');
      },
    });
    const handshake = setTimeout(() => {
      if (!session.isProven) session.violate(`nothing valid within ${handshakeTimeoutMs} ms`);
    }, handshakeTimeoutMs);
    handshake.unref();
    this.#sessions.set(id, session);
    if (this.#sessions.size > maximumConnections) this.#makeRoom(maximumConnections);
  }

  /** Whoever has proven nothing for longest goes first: strangers cannot keep clients out by waiting in line. */
  #makeRoom(maximumConnections: number): void {
    const sessions = [...this.#sessions.values()];
    const leaving = sessions.find((session) => !session.isProven) ?? sessions.at(-1);
    leaving?.violate(`more than ${maximumConnections} connections (allocator.max_connections)`);
  }
}
