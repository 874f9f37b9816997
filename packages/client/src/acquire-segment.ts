/** Room from the agent: lease over NATS, ticket for descriptors, map, arena, and the word that it is mapped. */
import { throwIfCancelled } from './cancellation.ts';
import type { ClientContext } from './context.ts';
import { HeldSegment, type MapChoice } from './held-segment.ts';
import { persist } from './patience.ts';
import { redeem, type Ticket } from './redeem.ts';

export interface SegmentWish extends MapChoice {
  readonly pool: string;
  readonly bytes: number;
  /** Take the pool's usual segment when that is larger and the budgets have room. */
  readonly usual: boolean;
}

/** The segment is in the holdings. An absent agent is waited for; what failed half-way is given back. */
export function acquireSegment(
  context: ClientContext,
  wish: SegmentWish,
  signal: AbortSignal,
): Promise<HeldSegment> {
  const { timing, patienceMs } = context;
  const doing = `a segment of pool "${wish.pool}"`;
  return persist(doing, () => attempt(context, wish, doing, signal), { timing, patienceMs, signal });
}

async function attempt(
  context: ClientContext,
  wish: SegmentWish,
  doing: string,
  signal: AbortSignal,
): Promise<HeldSegment> {
  const lease = await context.control.lease(wish.pool, wish.bytes, wish.usual);
  context.holdings.expect(lease.segment);
  try {
    throwIfCancelled(doing, signal);
    return await take(context, wish, lease, signal);
  } catch (error) {
    await context.releases.giveUp(lease.segment);
    throw error;
  } finally {
    context.holdings.forget(lease.segment);
  }
}

async function take(
  context: ClientContext,
  wish: SegmentWish,
  ticket: Ticket,
  signal: AbortSignal,
): Promise<HeldSegment> {
  const { reply, descriptors } = await redeem(context, ticket, signal);
  const segment = HeldSegment.map(reply, descriptors, wish);
  const endedEarly = context.holdings.endedEarly(segment.segment);
  if (endedEarly !== null) segment.end(endedEarly, 'ended');
  context.holdings.add(segment);
  try {
    if (wish.lock && segment.lockReason !== null)
      context.log.warn(
        { segment: segment.segment, reason: segment.lockReason },
        'client: pages are not locked in memory',
      );
    await context.link.mapped(segment.segment, signal);
    throwIfCancelled(`a segment of pool "${wish.pool}"`, signal);
    return segment;
  } catch (error) {
    context.holdings.remove(segment);
    segment.close();
    throw error;
  }
}
