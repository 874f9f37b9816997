/**
 * After the agent restarted, it knows segments from its journal and has no descriptors: their holders bring them. A
 * refusal ends the holding, an agent that is not ready yet is asked again.
 */
import type { BusLog } from '@nautilus/bus';
import type { AgentConnection } from './agent-connection.ts';
import { pause } from './cancellation.ts';
import { toNautilusError } from './faults.ts';
import type { Holding, Holdings } from './holdings.ts';
import { isAway } from './patience.ts';
import { backoffMs, type Timing } from './timing.ts';

export interface HandBackOptions {
  readonly container: string;
  readonly holdings: Holdings;
  readonly timing: Timing;
  readonly log: BusLog;
  readonly signal: AbortSignal;
}

/** Frames with descriptors under way at once: the kernel bounds those in flight, the socket its queue. */
const concurrency = 32;

/** Resolves when every holding is taken or ended, or the connection is gone. */
export async function handBack(connection: AgentConnection, options: HandBackOptions): Promise<void> {
  const remaining = [...options.holdings].values();
  const worker = async (): Promise<void> => {
    for (const holding of remaining) await returnOne(connection, holding, options);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}

async function returnOne(connection: AgentConnection, holding: Holding, o: HandBackOptions): Promise<void> {
  const { segment, access, secret } = holding;
  for (let attempt = 0; ; attempt += 1) {
    // Freed or closed meanwhile: there is nothing left to return.
    if (connection.closed || !o.holdings.has(holding)) return;
    try {
      await connection.request(
        { type: 'return', container: o.container, segment, access, secret },
        'returned',
        { descriptors: holding.descriptors(), signal: o.signal },
      );
      return;
    } catch (error) {
      if (connection.closed) return;
      const fault = toNautilusError(error, `returning segment ${segment}`);
      if (!isAway(fault)) {
        o.log.warn({ segment, error: fault }, 'client: the agent does not take a segment back');
        if (o.holdings.has(holding)) holding.end(`${fault.code}: ${fault.message}`, 'refused');
        return;
      }
      o.log.debug({ segment, attempt, error: fault }, 'client: the agent cannot take a segment back yet');
    }
    await pause(backoffMs(attempt, o.timing), `returning segment ${segment}`, o.signal, 'background');
  }
}
