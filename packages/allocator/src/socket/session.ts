/**
 * One peer on the agent's socket. It says who it is only by what it can prove; anything that is not the protocol ends
 * the connection. While it is open, what it redeemed lives; when it closes, for whatever reason, it is over at once.
 */
import {
  type Fault,
  maximumFrameBytes,
  type Result,
  type SocketReply,
  type SocketRequest,
  socketRequest,
} from '@nautilus/contracts';
import type { Connection, Descriptor } from '@nautilus/native';
import type { Exchange } from '../memory/exchange.ts';
import type { SegmentTable } from '../memory/table.ts';

export interface SessionOptions {
  readonly id: number;
  readonly connection: Connection;
  readonly exchange: Exchange;
  readonly table: SegmentTable;
  readonly onViolation: (reason: string) => void;
  readonly onClose: () => void;
}

export class Session {
  readonly #options: SessionOptions;
  /** Segments this peer owns or reads: what its death ends. */
  readonly #owned = new Set<string>();
  readonly #read = new Set<string>();
  #proven = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { connection } = options;
    connection.onClose(() => this.#closed());
    connection.onMessage((payload, descriptors) => {
      try {
        this.#frame(payload, descriptors);
      } catch (error) {
        // Whatever a peer found to break ends the peer, and not the agent of everyone.
        this.violate(
          `the agent could not handle a frame: ${error instanceof Error ? error.message : String(error)}`,
        );
      } finally {
        for (const descriptor of descriptors) {
          if (!this.#adopted(descriptor)) descriptor.close();
        }
      }
    });
  }

  /** False until the peer has said something that only a real client can. */
  get isProven(): boolean {
    return this.#proven;
  }

  /** 0: unknown here. */
  get pid(): number {
    return this.#options.connection.peer.pid;
  }

  /** The right to a segment is over; the peer answers with `closed` when it has unmapped it. */
  letGo(segment: string, reason: string): void {
    this.#send({ type: 'ended', segment, reason });
  }

  violate(reason: string): void {
    this.#options.onViolation(reason);
    this.#send({ type: 'error', id: null, fault: { code: 'protocol_violation', message: reason } });
    // The error is already in the kernel's buffer; what is still queued behind it is not worth keeping a liar for.
    this.#options.connection.close();
  }

  /** The agent stops: the peer keeps what it maps and hands it to the next agent, so nothing of it ends here. */
  abandon(): void {
    this.#owned.clear();
    this.#read.clear();
    this.#options.connection.close();
  }

  #frame(payload: Buffer, descriptors: Descriptor[]): void {
    const request = parseFrame(payload);
    if (typeof request === 'string') {
      this.violate(request);
      return;
    }
    switch (request.type) {
      case 'redeem':
        this.#redeem(request);
        return;
      case 'mapped':
      case 'closed':
        this.#acknowledge(request);
        return;
      case 'attach-wake':
        this.#answer(
          request.id,
          this.#options.exchange.attachWake(this.#options.id, request.segment, descriptors[0]),
        );
        return;
      case 'return':
        this.#return(request, descriptors);
        return;
    }
  }

  #redeem(request: Extract<SocketRequest, { type: 'redeem' }>): void {
    const { exchange, id } = this.#options;
    const result = exchange.redeem(id, request.container, request.ticket);
    if (!result.ok) {
      this.#refuse(request.id, result.fault);
      return;
    }
    const { lease, access, descriptors, closeAfterSend, secret } = result.value;
    this.#proven = true;
    (access === 'read-write' ? this.#owned : this.#read).add(lease.segment);
    const pool = this.#options.table.accounts.pools.get(lease.pool)?.pool;
    this.#send(
      {
        type: 'segment',
        id: request.id,
        segment: lease.segment,
        pool: lease.pool,
        owner: lease.container,
        access,
        strategy: pool?.strategy ?? 'first_fit',
        bytes: lease.bytes,
        alignmentBytes: this.#options.table.accounts.alignmentOf(lease.pool),
        ...(access === 'read-only' && lease.wake !== null ? { wake: true } : {}),
        secret,
      },
      descriptors,
    );
    closeAfterSend.close();
  }

  #acknowledge(request: Extract<SocketRequest, { type: 'mapped' | 'closed' }>): void {
    const { exchange, id } = this.#options;
    const result =
      request.type === 'mapped' ? exchange.mapped(id, request.segment) : exchange.closed(id, request.segment);
    if (request.type === 'closed') {
      this.#read.delete(request.segment);
      this.#owned.delete(request.segment);
    }
    this.#answer(request.id, result);
  }

  #answer(id: number, result: Result<null>): void {
    if (result.ok) this.#send({ type: 'done', id });
    else this.#refuse(id, result.fault);
  }

  #return(request: Extract<SocketRequest, { type: 'return' }>, descriptors: Descriptor[]): void {
    const result = this.#options.exchange.takeBack(this.#options.id, request, descriptors);
    if (!result.ok) {
      this.#refuse(request.id, result.fault);
      return;
    }
    this.#proven = true;
    (request.access === 'read-write' ? this.#owned : this.#read).add(request.segment);
    this.#send({ type: 'returned', id: request.id, segment: request.segment, expiresAt: null });
    const { state, endedBecause } = result.value;
    if (state === 'lingering') this.letGo(request.segment, endedBecause ?? 'release');
  }

  #adopted(descriptor: Descriptor): boolean {
    for (const segment of this.#owned) {
      const lease = this.#options.table.leases.get(segment);
      if (lease?.descriptor === descriptor || lease?.wake === descriptor) return true;
    }
    return false;
  }

  #refuse(id: number, { code, message, details }: Fault): void {
    this.#send({
      type: 'error',
      id,
      fault: details === undefined ? { code, message } : { code, message, details },
    });
  }

  #send(reply: SocketReply, descriptors: readonly Descriptor[] = []): void {
    const { connection } = this.#options;
    if (connection.closed) return;
    try {
      connection.send(Buffer.from(JSON.stringify(reply)), descriptors);
    } catch (error) {
      // A peer that does not read its answers is as good as gone; its memory must not wait for it.
      this.#options.onViolation(`cannot answer: ${error instanceof Error ? error.message : String(error)}`);
      connection.close();
    }
  }

  #closed(): void {
    const { table, id, onClose } = this.#options;
    for (const segment of this.#owned) {
      const lease = table.leases.get(segment);
      if (lease !== undefined) table.holderLeft(lease, id);
    }
    for (const segment of this.#read) {
      const lease = table.leases.get(segment);
      if (lease !== undefined) table.readerLeft(lease, id);
    }
    this.#owned.clear();
    this.#read.clear();
    onClose();
  }
}

/** The request, or what is wrong with the frame. */
function parseFrame(payload: Buffer): SocketRequest | string {
  if (payload.length > maximumFrameBytes)
    return `frame of ${payload.length} bytes; at most ${maximumFrameBytes}`;
  let json: unknown;
  try {
    json = JSON.parse(payload.toString('utf8'));
  } catch {
    return 'frame is not JSON';
  }
  const parsed = socketRequest.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  return `frame is not a request: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim();
}
