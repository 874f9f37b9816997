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
  ledgerBytesFor,
  ledgerHeaderBytes,
  type Mapping,
  mapSegment,
  reopenReadOnly,
  sealFutureWrites,
} from '@nautilus/native';
import { attempt } from './attempt.ts';
import type { Lease } from './lease.ts';
import type { SegmentTable } from './table.ts';
import type { Ticket, Tickets } from './tickets.ts';
import { attachWake } from './wake.ts';

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
  /** Mapped segments of one container; each costs a descriptor of the agent. */
  readonly #mostDescriptors: number;

  /** `key` signs secrets; it lives in the state directory, so a restarted agent recognises what it gave out. */
  constructor(table: SegmentTable, tickets: Tickets, key: Buffer, mostDescriptors: number) {
    this.#table = table;
    this.#mostDescriptors = mostDescriptors;
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
    if (lease === undefined) return ok(null);
    if (lease.holders.has(session)) this.#table.holderUnmapped(lease, session);
    else this.#table.readerLeft(lease, session);
    return ok(null);
  }

  /** Takes the descriptor over when it is taken. Only who holds the segment may say what wakes it. */
  attachWake(session: number, segment: string, wake: Descriptor | undefined): Result<null> {
    const lease = this.#table.leases.get(segment);
    if (lease === undefined || !lease.holders.has(session))
      return fail('unknown_segment', `this peer holds no segment ${segment}`, { segment });
    return attachWake(this.#table, lease, wake, this.#mostDescriptors);
  }

  /** After a restart: the holder proves what it holds by secret and by the descriptor itself. */
  takeBack(session: number, claim: SegmentReturn, descriptors: readonly Descriptor[]): Result<Lease> {
    const lease = this.#table.leases.get(claim.segment);
    if (lease === undefined) {
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
    lease.holders.add(session);
    // Ended while nobody could hear it: the holder is counted until it lets go, and is told to.
    if (lease.state === 'lingering') return ok(lease);
    this.#takeLedger(lease, identity.ledger, descriptors[1]);
    this.#table.keepDescriptor(lease, payload);
    // The seal may have been written down and not applied when the agent died.
    if (lease.sealed) lease.sealed = sealFutureWrites(payload).sealed;
    lease.ownerMapped = true;
    lease.state = 'mapped';
    // Without it readers that come later cannot wake the owner; that is no reason to refuse the memory.
    if (lease.wake === null && descriptors[2] !== undefined)
      attachWake(this.#table, lease, descriptors[2], this.#mostDescriptors);
    return ok(lease);
  }

  #handToOwner(session: number, lease: Lease): Result<HandedOut> {
    if (lease.sealed) {
      return fail(
        'permission_denied',
        `${lease.segment} was granted and is sealed: no new writable mapping; the process that mapped it first keeps its own`,
      );
    }
    if (lease.state === 'returning') {
      return fail('not_ready', `${lease.segment} is not back from its holder yet; try again`);
    }
    const table = this.#table;
    if (lease.descriptor === null && table.descriptorsOf(lease.container) >= this.#mostDescriptors) {
      return fail(
        'descriptors_exhausted',
        `container ${lease.container} maps ${this.#mostDescriptors} segments, its share of the agent's descriptors; use larger segments`,
      );
    }
    const fresh = lease.descriptor === null;
    const made = attempt(() => {
      const payload =
        lease.descriptor ??
        createSegment({ name: `nautilus-${lease.pool}-${lease.segment}`, bytes: lease.bytes });
      try {
        const ledger = createSegment({
          name: `nautilus-ledger-${lease.segment}`,
          bytes: ledgerBytesFor(lease.bytes, table.accounts.alignmentOf(lease.pool)),
        });
        return { payload, ledger };
      } catch (error) {
        if (fresh) payload.close();
        throw error;
      }
    });
    if (!made.ok) return made;
    const { payload, ledger } = made.value;
    const { device, inode } = inspectDescriptor(payload);
    const identity = { device, inode, ledger: inspectDescriptor(ledger).inode };
    const written = table.journal.append({ op: 'mapped', segment: lease.segment, ...identity });
    const mapping = written.ok ? this.#mapLedger(ledger) : written;
    if (!mapping.ok) {
      ledger.close();
      if (fresh) payload.close();
      return mapping;
    }
    table.keepDescriptor(lease, payload);
    lease.identity = identity;
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
      descriptors: lease.wake === null ? [reopened.value] : [reopened.value, lease.wake],
      closeAfterSend: reopened.value,
      secret: this.#secret({ container: ticket.container, segment: lease.segment, access: 'read-only' }),
    });
  }

  /**
   * The ledger that a holder hands back is mapped only when it is the one this agent made, which is sealed.
   * Any other file could shrink under the reader. Without it the figures of the segment are missing, nothing else.
   */
  #takeLedger(lease: Lease, inode: number, descriptor: Descriptor | undefined): void {
    if (lease.ledger !== null || descriptor === undefined) return;
    const found = inspectDescriptor(descriptor);
    if (found.inode !== inode || found.device !== lease.identity?.device || found.bytes < ledgerHeaderBytes)
      return;
    const mapping = this.#mapLedger(descriptor);
    if (mapping.ok) lease.ledger = mapping.value;
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
