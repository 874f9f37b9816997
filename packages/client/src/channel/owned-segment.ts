/**
 * A leased segment that is one thing as a whole, a channel or a cursor, and has no blocks. Only this process writes it,
 * others are granted to read it, and they wake this process through the descriptor that is attached to it.
 */
import { NautilusError, type SocketReply } from '@nautilus/contracts';
import { createWake, type Descriptor, type Mapping, mapSegment, type Wake } from '@nautilus/native';
import { throwIfCancelled } from '../cancellation.ts';
import type { ClientContext } from '../context.ts';
import type { LeaseResponse } from '../control.ts';
import { toNautilusError, translated } from '../faults.ts';
import type { EndKind, Holding } from '../holdings.ts';
import { redeem } from '../redeem.ts';

type SegmentReply = Extract<SocketReply, { type: 'segment' }>;

export class OwnedSegment implements Holding {
  readonly access = 'read-write';
  readonly segment: string;
  readonly bytes: number;
  readonly secret: string;
  readonly mapping: Mapping;
  readonly wake: Wake;
  readonly #descriptors: readonly Descriptor[];
  #ended: string | null = null;
  #onEnd: ((reason: string) => void) | null = null;

  /** Takes the descriptors over: they are closed with the segment, or now when it cannot be mapped. */
  constructor(reply: SegmentReply, descriptors: readonly Descriptor[]) {
    this.segment = reply.segment;
    this.bytes = reply.bytes;
    this.secret = reply.secret;
    this.#descriptors = descriptors;
    const opened: { close(): void }[] = [...descriptors];
    try {
      const [payload] = descriptors;
      if (payload === undefined || reply.access !== 'read-write') throw foreign(reply);
      this.mapping = mapSegment(payload, { access: 'read-write' });
      opened.push(this.mapping);
      this.wake = createWake();
    } catch (error) {
      for (const part of opened.reverse()) part.close();
      throw toNautilusError(error, `mapping segment ${reply.segment}`);
    }
  }

  /** A restarted agent needs all of them again: payload, ledger, and what wakes this process. */
  descriptors(): readonly Descriptor[] {
    return [...this.#descriptors, this.wake.signalDescriptor];
  }

  /** An end that came before is told at once. */
  onEnd(callback: (reason: string) => void): void {
    this.#onEnd = callback;
    if (this.#ended !== null) callback(this.#ended);
  }

  end(reason: string, _kind: EndKind): void {
    if (this.#ended !== null) return;
    this.#ended = reason;
    this.#onEnd?.(reason);
  }

  close(): void {
    this.wake.close();
    this.mapping.close();
    for (const descriptor of this.#descriptors) descriptor.close();
  }
}

/** Maps what was leased and lets `prepare` write it before anyone may read it. What fails half-way is given back. */
export async function takeLeased<P>(
  context: ClientContext,
  lease: LeaseResponse,
  prepare: (segment: OwnedSegment) => P,
  signal: AbortSignal,
): Promise<{ readonly segment: OwnedSegment; readonly prepared: P }> {
  const { holdings, link, releases } = context;
  const doing = `mapping segment ${lease.segment}`;
  let segment: OwnedSegment | null = null;
  holdings.expect(lease.segment);
  try {
    throwIfCancelled(doing, signal);
    const { reply, descriptors } = await redeem(context, lease, signal);
    const mapped = new OwnedSegment(reply, descriptors);
    segment = mapped;
    const prepared = translated(doing, () => prepare(mapped));
    const endedEarly = holdings.endedEarly(lease.segment);
    if (endedEarly !== null) mapped.end(endedEarly, 'ended');
    holdings.add(mapped);
    await link.attachWake(mapped.segment, mapped.wake.signalDescriptor, signal);
    await link.mapped(mapped.segment, signal);
    return { segment: mapped, prepared };
  } catch (error) {
    if (segment !== null) {
      holdings.remove(segment);
      segment.close();
    }
    await releases.giveUp(lease.segment);
    throw error;
  } finally {
    holdings.forget(lease.segment);
  }
}

/** Unmaps it and ends the lease. */
export async function releaseOwned(context: ClientContext, segment: OwnedSegment): Promise<void> {
  context.holdings.remove(segment);
  segment.close();
  await context.releases.release(segment.segment);
}

function foreign(reply: SegmentReply): NautilusError {
  const message = `mapping segment ${reply.segment}: the agent gave ${reply.access} access to this container's own`;
  return new NautilusError({ code: 'protocol_violation', message });
}
