/**
 * An agent for tests: the real socket, the real native layer and the real frames, with a memory of its own in place of
 * a journal and knobs for everything that can go wrong.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ErrorCode,
  grantSegment,
  leaseSegment,
  openSegment,
  releaseSegment,
  revokeGrant,
  type SocketReply,
  type SocketRequest,
  socketRequest,
} from '@nautilus/contracts';
import {
  type Connection,
  type Descriptor,
  inspectDescriptor,
  type Ledger,
  type Listener,
  listen,
  mapSegment,
  readLedger,
  reopenReadOnly,
} from '@nautilus/native';
import { type FakeBus, refusal } from './fake-bus.ts';
import { closeDescriptors, createFakeSegment, type FakeSegment } from './fake-segment.ts';

type FrameType = SocketRequest['type'];

export class FakeAgent {
  strategy = 'first_fit';
  alignmentBytes = 64;
  /** Frames of this type are refused with the code, until it is taken out. */
  readonly refuse = new Map<FrameType, ErrorCode>();
  /** Frames of this type get no answer. */
  readonly ignore = new Set<FrameType>();
  /** Sent in place of the next answer to a frame of this type. */
  readonly garbage = new Map<FrameType, Uint8Array>();
  /** As many tickets are too old when they are redeemed. */
  staleTickets = 0;
  /** Sent with a redeemed segment in place of its real size. */
  announcedBytes: number | null = null;
  readonly frames: SocketRequest[] = [];
  readonly stored = new Map<string, FakeSegment>();
  readonly #directory = mkdtempSync(join(tmpdir(), 'nautilus-client-'));
  readonly #tickets = new Map<string, { segment: string; container: string }>();
  readonly #connections = new Map<Connection, string | null>();
  #listener: Listener | null = null;
  #serial = 0;

  constructor(bus: FakeBus) {
    bus.answer(leaseSegment, (body, at) =>
      this.#lease(body as { pool: string; bytes: number }, at.party ?? ''),
    );
    bus.answer(openSegment, (body, at) => this.#open((body as { segment: string }).segment, at.party ?? ''));
    bus.answer(releaseSegment, (body) => this.#release((body as { segment: string }).segment));
    bus.answer(grantSegment, (body) => this.#grant(body as { segment: string; to: string }));
    bus.answer(revokeGrant, (body) => this.#revoke(body as { segment: string; from: string }));
    this.start();
  }

  get socketPath(): string {
    return join(this.#directory, 'agent.sock');
  }

  get connections(): number {
    return this.#connections.size;
  }

  start(): void {
    const onConnection = (connection: Connection): void => {
      this.#connections.set(connection, null);
      connection.onClose(() => this.#connections.delete(connection));
      connection.onMessage((payload, descriptors) => this.#receive(connection, payload, descriptors));
    };
    this.#listener = listen({ path: this.socketPath, onConnection });
  }

  /** Dies: what it knows of segments is as good as a journal, its descriptors and tickets are gone. */
  stop(): void {
    this.#listener?.close();
    this.#listener = null;
    for (const connection of [...this.#connections.keys()]) connection.close();
    this.#connections.clear();
    this.#tickets.clear();
    for (const stored of this.stored.values()) {
      closeDescriptors(stored);
      stored.readers.clear();
    }
  }

  dispose(): void {
    this.stop();
    rmSync(this.#directory, { recursive: true });
  }

  /** Ends a lease or grant unasked. */
  end(segment: string, container: string, reason: string): void {
    for (const [connection, name] of this.#connections)
      if (name === container) this.#send(connection, { type: 'ended', segment, reason });
  }

  sendRaw(payload: Uint8Array, descriptors: readonly Descriptor[] = []): void {
    for (const connection of this.#connections.keys()) connection.send(payload, descriptors);
  }

  framesOf(type: FrameType): SocketRequest[] {
    return this.frames.filter((frame) => frame.type === type);
  }

  ledgerOf(segment: string): Ledger | null {
    const ledger = this.stored.get(segment)?.ledger;
    if (ledger === null || ledger === undefined)
      throw new Error(`the fake agent has no ledger of ${segment}`);
    const mapping = mapSegment(ledger, { access: 'read-only' });
    try {
      return readLedger(mapping);
    } finally {
      mapping.close();
    }
  }

  #assertRunning(): void {
    if (this.#listener === null) throw refusal('unavailable', 'the fake agent is stopped');
  }

  #lease({ pool, bytes }: { pool: string; bytes: number }, owner: string): unknown {
    this.#assertRunning();
    this.#serial += 1;
    const segment = `s-${String(this.#serial).padStart(8, '0')}`;
    const { alignmentBytes } = this;
    this.stored.set(segment, createFakeSegment({ segment, pool, owner, bytes, alignmentBytes }));
    return {
      ...this.#ticket(segment, owner),
      segment,
      pool,
      region: 'unified-main',
      strategy: this.strategy,
      bytes,
      alignmentBytes: this.alignmentBytes,
      expiresAt: 1,
    };
  }

  #open(segment: string, container: string): unknown {
    this.#assertRunning();
    const stored = this.#known(segment);
    const isOwner = stored.owner === container;
    if (!isOwner && !stored.grants.has(container)) throw refusal('permission_denied');
    const access = isOwner ? 'read-write' : 'read-only';
    const { pool, owner, bytes } = stored;
    return { ...this.#ticket(segment, container), segment, pool, owner, bytes, access };
  }

  #release(segment: string): unknown {
    this.#assertRunning();
    const stored = this.#known(segment);
    this.stored.delete(segment);
    closeDescriptors(stored);
    return { segment, releasedBytes: stored.bytes, lingeringBytes: 0 };
  }

  #grant({ segment, to }: { segment: string; to: string }): unknown {
    const stored = this.#known(segment);
    if (!stored.isMapped) throw refusal('not_mapped');
    stored.grants.add(to);
    return { segment, to, writesSealed: true, reason: null };
  }

  #revoke({ segment, from }: { segment: string; from: string }): unknown {
    const stored = this.#known(segment);
    stored.grants.delete(from);
    this.end(segment, from, 'grant revoked');
    return { segment, from, stillMapped: stored.readers.has(from) };
  }

  #known(segment: string): FakeSegment {
    const stored = this.stored.get(segment);
    if (stored === undefined) throw refusal('unknown_segment');
    return stored;
  }

  #ticket(segment: string, container: string): object {
    this.#serial += 1;
    const ticket = `ticket-${String(this.#serial).padStart(16, '0')}`;
    this.#tickets.set(ticket, { segment, container });
    return { ticket, ticketExpiresAt: 1, socketPath: this.socketPath };
  }

  #send(connection: Connection, reply: SocketReply, descriptors: readonly Descriptor[] = []): void {
    connection.send(new TextEncoder().encode(JSON.stringify(reply)), descriptors);
  }

  #receive(connection: Connection, payload: Uint8Array, descriptors: readonly Descriptor[]): void {
    const frame = socketRequest.parse(JSON.parse(Buffer.from(payload).toString()));
    this.frames.push(frame);
    if ('container' in frame) this.#connections.set(connection, frame.container);
    const garbage = this.garbage.get(frame.type);
    const code = this.refuse.get(frame.type);
    const isTaken = garbage === undefined && code === undefined && !this.ignore.has(frame.type);
    if (garbage !== undefined) {
      this.garbage.delete(frame.type);
      connection.send(garbage);
    } else if (code !== undefined) this.#fault(connection, frame.id, code);
    else if (isTaken && this.#answer(connection, frame, descriptors)) return;
    for (const descriptor of descriptors) descriptor.close();
  }

  #fault(connection: Connection, id: number, code: string): void {
    this.#send(connection, {
      type: 'error',
      id,
      fault: { code, message: `refused by the test with ${code}` },
    });
  }

  /** True when the descriptors are kept. */
  #answer(connection: Connection, frame: SocketRequest, descriptors: readonly Descriptor[]): boolean {
    const { id } = frame;
    if (frame.type === 'redeem') {
      this.#redeem(connection, id, frame.ticket, frame.container);
      return false;
    }
    const stored = this.stored.get(frame.segment);
    if (frame.type === 'mapped' && stored !== undefined) stored.isMapped = true;
    if (frame.type === 'closed') stored?.readers.delete(this.#connections.get(connection) ?? '');
    if (frame.type !== 'return') {
      this.#send(connection, { type: 'done', id });
      return false;
    }
    const [payload, ledger] = descriptors;
    const isIts = stored !== undefined && stored.secret === frame.secret && payload !== undefined;
    if (!isIts || inspectDescriptor(payload).inode !== stored.inode) {
      this.#fault(connection, id, 'unknown_segment');
      return false;
    }
    if (frame.access === 'read-write') {
      closeDescriptors(stored);
      stored.payload = payload;
      stored.ledger = ledger ?? null;
    } else {
      stored.readers.add(frame.container);
      payload.close();
    }
    this.#send(connection, { type: 'returned', id, segment: frame.segment, expiresAt: null });
    return true;
  }

  #redeem(connection: Connection, id: number, ticket: string, container: string): void {
    const known = this.#tickets.get(ticket);
    this.#tickets.delete(ticket);
    const stored = known === undefined ? undefined : this.stored.get(known.segment);
    const payload = stored?.payload;
    if (stored === undefined || payload === null || payload === undefined || known?.container !== container) {
      this.#fault(connection, id, 'ticket_unknown');
      return;
    }
    if (this.staleTickets > 0) {
      this.staleTickets -= 1;
      this.#fault(connection, id, 'ticket_expired');
      return;
    }
    const isOwner = stored.owner === container;
    const { segment, pool, owner, secret } = stored;
    const access = isOwner ? 'read-write' : 'read-only';
    const { strategy, alignmentBytes } = this;
    const bytes = this.announcedBytes ?? stored.bytes;
    const reply = {
      type: 'segment',
      id,
      segment,
      pool,
      owner,
      access,
      strategy,
      bytes,
      alignmentBytes,
      secret,
    } as const;
    if (isOwner) {
      this.#send(connection, reply, stored.ledger === null ? [payload] : [payload, stored.ledger]);
      return;
    }
    stored.readers.add(container);
    const readOnly = reopenReadOnly(payload);
    this.#send(connection, reply, [readOnly]);
    readOnly.close();
  }
}
