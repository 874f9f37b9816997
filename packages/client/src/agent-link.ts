/**
 * The one socket to the agent over a client's life. It is opened when first needed and kept: an open socket is the sign
 * of life behind every lease. When the agent goes away, this comes back to it and hands back what the process holds.
 */
import type { BusLog } from '@nautilus/bus';
import { maximumFrameBytes, NautilusError } from '@nautilus/contracts';
import { connect, type Descriptor } from '@nautilus/native';
import { AgentConnection, type Answer } from './agent-connection.ts';
import { abortable, atMost, pause, sharedController } from './cancellation.ts';
import { alreadyClosed, toNautilusError } from './faults.ts';
import { handBack } from './hand-back.ts';
import type { Holdings } from './holdings.ts';
import { backoffMs, type Timing } from './timing.ts';

export interface AgentLinkOptions {
  /** Token of the container. */
  readonly container: string;
  readonly holdings: Holdings;
  readonly timing: Timing;
  readonly log: BusLog;
  /** The socket is open again and what was held is handed back. */
  onReturn(): void;
}

export class AgentLink {
  readonly #options: AgentLinkOptions;
  readonly #closing = sharedController();
  #path: string | null = null;
  #connection: AgentConnection | null = null;
  #opening: Promise<AgentConnection> | null = null;

  constructor(options: AgentLinkOptions) {
    this.#options = options;
  }

  get connected(): boolean {
    return this.#connection !== null;
  }

  /** Exchanges a ticket for a segment's descriptors. */
  async redeem(
    ticket: { ticket: string; segment: string; socketPath: string },
    signal: AbortSignal,
  ): Promise<Answer<'segment'>> {
    const connection = await this.#ready(ticket.socketPath, signal);
    const { container } = this.#options;
    const answer = await connection.request({ type: 'redeem', container, ticket: ticket.ticket }, 'segment', {
      signal,
    });
    if (answer.reply.segment === ticket.segment) return answer;
    for (const descriptor of answer.descriptors) descriptor.close();
    throw new NautilusError({
      code: 'protocol_violation',
      message: `the agent gave segment ${answer.reply.segment} for a ticket of ${ticket.segment}`,
    });
  }

  /** From now on the segment can be granted. */
  async mapped(segment: string, signal: AbortSignal): Promise<void> {
    const connection = await this.#ready(null, signal);
    await connection.request({ type: 'mapped', segment }, 'done', { signal });
  }

  /** From now on who redeems the segment for reading gets what wakes its owner. */
  async attachWake(segment: string, wake: Descriptor, signal: AbortSignal): Promise<void> {
    const connection = await this.#ready(null, signal);
    await connection.request({ type: 'attach-wake', segment }, 'done', { descriptors: [wake], signal });
  }

  /** Tells the agent that a segment is unmapped. Without a socket there is nobody who counts this process as a reader. */
  async unmapped(segment: string): Promise<void> {
    const connection = this.#connection;
    if (connection === null) return;
    try {
      await connection.request({ type: 'closed', segment }, 'done');
    } catch (error) {
      this.#options.log.debug(
        { segment, error },
        'client: the agent did not take note of an unmapped segment',
      );
    }
  }

  close(): void {
    if (this.#closing.signal.aborted) return;
    const reason = alreadyClosed('the client');
    this.#closing.abort(reason);
    this.#connection?.close(reason);
    this.#connection = null;
  }

  async #ready(path: string | null, signal: AbortSignal): Promise<AgentConnection> {
    if (this.#closing.signal.aborted) throw alreadyClosed('the client');
    this.#path = path ?? this.#path;
    if (this.#connection !== null) return this.#connection;
    this.#opening ??= this.#open();
    const doing = "waiting for the agent's socket";
    return atMost(this.#options.timing.socketTimeoutMs, abortable(this.#opening, doing, signal), doing);
  }

  async #open(): Promise<AgentConnection> {
    try {
      const connection = await this.#dial();
      this.#connection = connection;
      return connection;
    } finally {
      this.#opening = null;
    }
  }

  /** Until the agent is back and has taken everything, or nothing is held any more. */
  async #reopen(): Promise<AgentConnection> {
    const { holdings, timing, log } = this.#options;
    const doing = 'coming back to the agent';
    try {
      for (let attempt = 0; ; attempt += 1) {
        await pause(backoffMs(attempt, timing), doing, this.#closing.signal, 'background');
        if (holdings.size === 0)
          throw new NautilusError({ code: 'unavailable', message: 'the agent is away, and nothing is held' });
        const connection = await this.#dial().catch((error: unknown) => {
          log.debug({ attempt, error }, 'client: the agent is not back yet');
          return null;
        });
        if (connection === null) continue;
        await handBack(connection, { ...this.#options, signal: this.#closing.signal });
        if (connection.closed) continue;
        this.#connection = connection;
        this.#options.onReturn();
        return connection;
      }
    } finally {
      this.#opening = null;
    }
  }

  async #dial(): Promise<AgentConnection> {
    const path = this.#path;
    if (path === null)
      throw new NautilusError({ code: 'not_ready', message: "the agent's socket path is not known yet" });
    const socket = await connect({ path, maxFrameBytes: maximumFrameBytes }).catch((error: unknown) => {
      const { code, message, details } = toNautilusError(error, `opening the agent's socket ${path}`);
      // Whatever the kernel says of a socket that nobody serves, to the caller the agent is away.
      const isLocal = code === 'descriptors_exhausted' || code === 'permission_denied';
      throw new NautilusError({ code: isLocal ? code : 'unavailable', message, details }, { cause: error });
    });
    const connection: AgentConnection = new AgentConnection(socket, {
      timeoutMs: this.#options.timing.socketTimeoutMs,
      onEnded: ({ segment, reason }) => {
        if (this.#options.holdings.ended(segment, reason)) return;
        this.#options.log.debug({ segment, reason }, 'client: the end of a segment that is not mapped here');
      },
      onLost: (reason) => this.#lost(connection, reason),
    });
    if (this.#closing.signal.aborted) {
      connection.close(alreadyClosed('the client'));
      throw alreadyClosed('the client');
    }
    return connection;
  }

  #lost(connection: AgentConnection, reason: string): void {
    const held = this.#options.holdings.size;
    this.#options.log.warn({ reason, held }, 'client: lost the agent; what is held stays usable');
    // While it hands back, the loop that opened the connection sees for itself that it is closed.
    if (this.#connection !== connection) return;
    this.#connection = null;
    if (held === 0) return;
    this.#opening = this.#reopen();
    // Whoever waits for the socket gets the failure; the loop itself ends only when it has no more reason to run.
    this.#opening.catch((error: unknown) =>
      this.#options.log.debug({ error }, 'client: no longer coming back to the agent'),
    );
  }
}
