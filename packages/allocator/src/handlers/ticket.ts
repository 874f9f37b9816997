/** A ticket with where and until when it can be exchanged: part of the answers to `lease` and `open`. */
import type { Agent } from '../agent.ts';

export function issueTicket(
  agent: Agent,
  segment: string,
  container: string,
  access: 'read-write' | 'read-only',
) {
  const ticketExpiresAt = agent.now() + agent.config.allocator.ticket_ttl;
  return {
    ticket: agent.tickets.issue({ segment, container, access, expiresAt: ticketExpiresAt }),
    ticketExpiresAt,
    socketPath: agent.config.host.socket,
  };
}
