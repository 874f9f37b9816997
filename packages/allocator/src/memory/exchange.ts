/**
 * Tickets in, descriptors out: what a session on the socket may do. The payload is made at the first exchange, so a
 * lease that nobody maps costs no descriptor; its pages are made by the owner's first touch and are zero by birth.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { fail, ok, type Result } from '@nautilus/contracts';
import {
  createSegment,
  type Descriptor,
  inspectDescriptor,
  ledgerBytes,
  type Mapping,
  mapSegment,
  reopenReadOnly,
} from '@nautilus/native';
import type { Lease } from './lease.ts';
import { attempt, type SegmentTable } from './table.ts';
import type { Ticket, Tickets } from './tickets.ts';

export interface HandedOut {
  readonly lease: Lease;
  readonly access: 'read-write' | 'read-only';
  readonly descriptors: readonly Descriptor[];
  /** Made for this one answer. */
  readonly closeAfterSend: Descriptor;
  readonly secret: string;
}

export interface SegmentReturn {
  readonly container: string;
  readonly segment: string;
  readonly access: 'read-write' | 'read-only';
  readonly secret: string;
}

export class Exchange {
  readonly #table: SegmentTable;
  readonly #tickets: Tickets;
  readonly #key: Buffer;

  /** `key` signs secrets; it lives in the state directory, so a restarted agent recognises what it gave out. */
  constructor(table: SegmentTable, tickets: Tickets, key: Buffer) {
    this.#table = table;
    this.#tickets = tickets;
    this.#key = key;
  }

  redeem(session: number, container: string, token: string): Result<HandedOut> {
    const ticket = this.#tickets.redeem(token, container, this.#table.now());
    if (!ticket.ok) return ticket;
    const lease = this.#table.leases.get(ticket.value.segment);
    if (lease === undefined || lease.state === 'lingering') {
      return fail(
        'already_released',
        `the lease of ${ticket.value.segment} ended before its ticket was exchanged`,
      );
    }
    return ticket.value.access === 'read-write'
      ? this.#handToOwner(session, lease)
      : this.#handToReader(session, lease, ticket.value);
  }

  mapped(session: number, segment: string): Result<null> {
    const lease = this.#table.leases.get(segment);
    if (lease === undefined) return fail('unknown_segment', `no segment ${segment}`);
    if (lease.holders.has(session)) lease.ownerMapped = true;
    return ok(null);
  }

  closed(session: number, segment: string): Result<null> {
    const lease = this.#table.leases.get(segment);
    if (lease !== undefined) this.#table.readerLeft(lease, session);
    return ok(null);
  }

  /** After a restart: the holder proves what it holds by secret and by the descriptor itself. */
  takeBack(session: number, claim: SegmentReturn, descriptors: readonly Descriptor[]): Result<Lease> {
    const lease = this.#table.leases.get(claim.segment);
    if (lease === undefined || lease.state === 'lingering') {
      return fail('unknown_segment', `no lease of ${claim.segment} is in the books of this agent`, {
        segment: claim.segment,
      });
    }
    if (!sameSecret(claim.secret, this.#secret(claim))) {
      return fail('permission_denied', `${claim.container} cannot prove that it held ${claim.segment}`);
    }
    const payload = descriptors[0];
    if (payload === undefined)
      return fail('protocol_violation', 'a returned segment needs its payload descriptor');
    const found = inspectDescriptor(payload);
    const { identity } = lease;
    if (
      identity === null ||
      found.inode !== identity.inode ||
      found.device !== identity.device ||
      found.bytes !== lease.bytes
    ) {
      return fail(
        'permission_denied',
        `the descriptor returned for ${claim.segment} is another object than the one leased`,
      );
    }
    if (claim.access === 'read-only') {
      if (!lease.grants.has(claim.container)) {
        return fail('permission_denied', `${claim.container} has no grant of ${claim.segment}`);
      }
      lease.readers.set(session, claim.container);
      return ok(lease);
    }
    if (lease.ledger === null && descriptors[1] !== undefined) {
      const ledger = this.#mapLedger(descriptors[1]);
      if (!ledger.ok) return ledger;
      lease.ledger = ledger.value;
    }
    lease.descriptor ??= payload;
    lease.ownerMapped = true;
    lease.state = 'mapped';
    lease.holders.add(session);
    return ok(lease);
  }

  #handToOwner(session: number, lease: Lease): Result<HandedOut> {
    if (lease.sealed) {
      return fail(
        'permission_denied',
        `${lease.segment} was granted and is sealed: no new writable mapping; the process that mapped it first keeps its own`,
      );
    }
    const table = this.#table;
    const made = attempt(() => {
      const fresh = lease.descriptor === null;
      lease.descriptor ??= createSegment({
        name: `nautilus-${lease.pool}-${lease.segment}`,
        bytes: lease.bytes,
      });
      const ledger = createSegment({ name: `nautilus-ledger-${lease.segment}`, bytes: ledgerBytes });
      return { payload: lease.descriptor, ledger, fresh };
    });
    if (!made.ok) return made;
    const { payload, ledger, fresh } = made.value;
    const { device, inode } = inspectDescriptor(payload);
    const written = fresh
      ? table.journal.append({ op: 'mapped', segment: lease.segment, device, inode })
      : ok(null);
    const mapping = written.ok ? this.#mapLedger(ledger) : written;
    if (!mapping.ok) {
      ledger.close();
      return mapping;
    }
    lease.identity = { device, inode };
    lease.ledger?.close();
    lease.ledger = mapping.value;
    lease.ownerMapped = false;
    lease.state = 'mapped';
    lease.holders.add(session);
    table.counters.zeroCopyOperations['lease'] = (table.counters.zeroCopyOperations['lease'] ?? 0) + 1;
    return ok({
      lease,
      access: 'read-write',
      descriptors: [payload, ledger],
      closeAfterSend: ledger,
      secret: this.#secret({ container: lease.container, segment: lease.segment, access: 'read-write' }),
    });
  }

  #handToReader(session: number, lease: Lease, ticket: Ticket): Result<HandedOut> {
    if (!lease.grants.has(ticket.container)) {
      return fail('permission_denied', `the grant of ${lease.segment} to ${ticket.container} was revoked`);
    }
    const { descriptor } = lease;
    if (descriptor === null)
      return fail('not_ready', `${lease.segment} is not back from its holder yet; try again`);
    const reopened = attempt(() => reopenReadOnly(descriptor));
    if (!reopened.ok) return reopened;
    lease.readers.set(session, ticket.container);
    const { counters } = this.#table;
    counters.zeroCopyOperations['grant'] = (counters.zeroCopyOperations['grant'] ?? 0) + 1;
    counters.bytesShared += lease.bytes;
    return ok({
      lease,
      access: 'read-only',
      descriptors: [reopened.value],
      closeAfterSend: reopened.value,
      secret: this.#secret({ container: ticket.container, segment: lease.segment, access: 'read-only' }),
    });
  }

  #mapLedger(descriptor: Descriptor): Result<Mapping> {
    return attempt(() => mapSegment(descriptor, { access: 'read-only' }));
  }

  #secret(of: { container: string; segment: string; access: string }): string {
    return createHmac('sha256', this.#key)
      .update(`${of.segment}\n${of.container}\n${of.access}`)
      .digest('base64url');
  }
}

function sameSecret(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
