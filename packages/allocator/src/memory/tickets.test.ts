import { beforeEach, describe, expect, it } from 'vitest';
import { Tickets } from './tickets.ts';

describe('Tickets', () => {
  let tickets: Tickets;
  let next = 0;
  beforeEach(() => {
    next = 0;
    tickets = new Tickets(() => {
      next += 1;
      return `token-${next}`;
    });
  });
  const ticket = { container: 'a', segment: 's-1', access: 'read-write', expiresAt: 1000 } as const;
  const code = (result: ReturnType<Tickets['redeem']>) => (result.ok ? 'ok' : result.fault.code);

  it('is good for one exchange', () => {
    const token = tickets.issue(ticket);
    expect(code(tickets.redeem(token, 'a', 10))).toBe('ok');
    expect(code(tickets.redeem(token, 'a', 11))).toBe('ticket_used');
  });

  it('is good until it expires, not at that instant', () => {
    const token = tickets.issue(ticket);
    expect(code(tickets.redeem(token, 'a', 1000))).toBe('ticket_expired');
    expect(code(tickets.redeem(tickets.issue(ticket), 'a', 999))).toBe('ok');
  });

  it('is not used up by a container it does not belong to', () => {
    const token = tickets.issue(ticket);
    expect(code(tickets.redeem(token, 'b', 10))).toBe('ticket_foreign');
    expect(code(tickets.redeem(token, 'a', 10))).toBe('ok');
  });

  it('does not know what it never issued', () => {
    expect(code(tickets.redeem('token-99', 'a', 10))).toBe('ticket_unknown');
  });

  it('forgets what expired long ago', () => {
    const old = tickets.issue(ticket);
    for (let turn = 0; turn < 10; turn += 1) tickets.issue({ ...ticket, expiresAt: 1_000_000 });
    expect(code(tickets.redeem(old, 'a', 10))).toBe('ticket_unknown');
  });
});
