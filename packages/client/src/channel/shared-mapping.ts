/**
 * Another container's segment of a channel, mapped read-only, with what wakes its owner. It stays mapped when the right
 * to it ends: what is in the ring can still be taken.
 */
import { NautilusError, type SocketReply } from '@nautilus/contracts';
import { type Descriptor, isWakeDescriptor, type Mapping, mapSegment } from '@nautilus/native';
import type { ClientContext } from '../context.ts';
import { toNautilusError } from '../faults.ts';
import type { EndKind, Holding } from '../holdings.ts';
import { redeem } from '../redeem.ts';

type SegmentReply = Extract<SocketReply, { type: 'segment' }>;

export class SharedMapping implements Holding {
  readonly access = 'read-only';
  readonly segment: string;
  readonly owner: string;
  readonly bytes: number;
  readonly secret: string;
  readonly mapping: Mapping;
  /** Null when the owner has attached none. */
  readonly wake: Descriptor | null;
  readonly #payload: Descriptor;
  #ended: string | null = null;
  #onEnd: ((reason: string) => void) | null = null;

  /** Takes the descriptors over: they are closed with the mapping, or now when the segment cannot be mapped. */
  constructor(reply: SegmentReply, descriptors: readonly Descriptor[]) {
    this.segment = reply.segment;
    this.owner = reply.owner;
    this.bytes = reply.bytes;
    this.secret = reply.secret;
    const [payload, wake] = descriptors;
    try {
      if (payload === undefined || reply.access !== 'read-only')
        throw violation(reply, `the agent gave ${reply.access} access`);
      if (wake !== undefined && !isWakeDescriptor(wake))
        throw violation(reply, 'what came to wake its owner does something else');
      this.mapping = mapSegment(payload, { access: 'read-only' });
      this.#payload = payload;
      this.wake = wake ?? null;
    } catch (error) {
      for (const descriptor of descriptors) descriptor.close();
      throw toNautilusError(error, `mapping segment ${reply.segment}`);
    }
  }

  descriptors(): readonly Descriptor[] {
    return [this.#payload];
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
    this.mapping.close();
    this.wake?.close();
    this.#payload.close();
  }
}

/** Opens what was granted; the owner must be who is expected. */
export async function openShared(
  context: ClientContext,
  segment: string,
  owner: string,
  signal: AbortSignal,
): Promise<SharedMapping> {
  const { control, holdings } = context;
  holdings.expect(segment);
  try {
    const ticket = await control.open(segment, signal);
    const { reply, descriptors } = await redeem(context, ticket, signal);
    const mapping = new SharedMapping(reply, descriptors);
    const endedEarly = holdings.endedEarly(segment);
    if (endedEarly !== null) mapping.end(endedEarly, 'ended');
    holdings.add(mapping);
    if (mapping.owner === owner) return mapping;
    await closeShared(context, mapping);
    throw violation(reply, `it belongs to ${reply.owner} and not to ${owner}`);
  } finally {
    holdings.forget(segment);
  }
}

/** Unmaps it and tells the agent, which counts this process as its reader. */
export async function closeShared({ holdings, link }: ClientContext, mapping: SharedMapping): Promise<void> {
  const isCounted = holdings.has(mapping);
  holdings.remove(mapping);
  mapping.close();
  if (isCounted && !holdings.holdsSegment(mapping.segment)) await link.unmapped(mapping.segment);
}

function violation(reply: SegmentReply, why: string): NautilusError {
  const message = `segment ${reply.segment} of ${reply.owner} cannot be a channel's: ${why}`;
  return new NautilusError({ code: 'protocol_violation', message });
}
