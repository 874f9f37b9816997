/**
 * One-time tickets: the bridge from the control plane to the capability plane. A ticket names one container, one
 * segment and one access, is good for seconds, and is remembered a while after its end so that the refusal can say why.
 */
import { fail, ok, type Result } from '@nautilus/contracts';

export interface Ticket {
  readonly container: string;
  readonly segment: string;
  readonly access: 'read-write' | 'read-only';
  readonly expiresAt: number;
}

/** How long a used or expired ticket is remembered, and how many are: beyond that the answer is `ticket_unknown`. */
const rememberMs = 60_000;
const rememberCount = 100_000;

export class Tickets {
  readonly #tickets = new Map<string, Ticket & { used: boolean }>();
  readonly #newToken: () => string;

  constructor(newToken: () => string) {
    this.#newToken = newToken;
  }

  issue(ticket: Ticket): string {
    const token = this.#newToken();
    this.#tickets.set(token, { ...ticket, used: false });
    this.#forget(ticket.expiresAt);
    return token;
  }

  /** Exchanges the ticket; a foreign attempt does not use it up, so nobody can spoil another's ticket by guessing. */
  redeem(token: string, container: string, now: number): Result<Ticket> {
    const ticket = this.#tickets.get(token);
    if (ticket === undefined) {
      return fail(
        'ticket_unknown',
        'this ticket was never issued here, or the agent restarted since; ask for the segment again',
      );
    }
    if (ticket.container !== container) {
      return fail('ticket_foreign', `this ticket was issued to another container than ${container}`);
    }
    if (ticket.used)
      return fail('ticket_used', 'this ticket was exchanged already; ask for the segment again');
    if (now >= ticket.expiresAt) {
      return fail(
        'ticket_expired',
        `this ticket expired ${now - ticket.expiresAt} ms ago; ask for the segment again`,
      );
    }
    ticket.used = true;
    return ok(ticket);
  }

  // Insertion order is nearly expiry order (the lifetime is one setting), so looking at the head is enough.
  #forget(newestExpiry: number): void {
    for (const [token, ticket] of this.#tickets) {
      if (this.#tickets.size <= rememberCount && ticket.expiresAt + rememberMs >= newestExpiry) return;
      this.#tickets.delete(token);
    }
  }
}
