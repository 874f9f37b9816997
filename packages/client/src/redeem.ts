/** A ticket for descriptors. A ticket that grew too old, or that its agent forgot in a restart, is replaced once. */
import { NautilusError } from '@nautilus/contracts';
import type { Answer } from './agent-connection.ts';
import type { ClientContext } from './context.ts';

export interface Ticket {
  readonly segment: string;
  readonly ticket: string;
  readonly socketPath: string;
}

export async function redeem(
  { link, control, log }: Pick<ClientContext, 'link' | 'control' | 'log'>,
  ticket: Ticket,
  signal: AbortSignal,
): Promise<Answer<'segment'>> {
  try {
    return await link.redeem(ticket, signal);
  } catch (error) {
    if (!isStale(error)) throw error;
    log.debug({ segment: ticket.segment, error }, 'client: asking for a fresh ticket');
  }
  const fresh = await control.open(ticket.segment, signal);
  return link.redeem(fresh, signal);
}

function isStale(error: unknown): boolean {
  return (
    error instanceof NautilusError && (error.code === 'ticket_unknown' || error.code === 'ticket_expired')
  );
}
