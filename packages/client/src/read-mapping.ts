/**
 * Another container's segment, mapped read-only once for all who opened it here: the agent counts this process as one
 * reader, so it hears of the end of reading only when the last of them has closed.
 */
import { NautilusError, type SocketReply } from '@nautilus/contracts';
import { type Descriptor, type Mapping, mapSegment } from '@nautilus/native';
import { alreadyClosed, toNautilusError, translated } from './faults.ts';
import type { GrantedSegment } from './granted-segment.ts';
import type { EndKind, Holding } from './holdings.ts';

type SegmentReply = Extract<SocketReply, { type: 'segment' }>;

export class ReadMapping implements Holding {
  readonly access = 'read-only';
  readonly segment: string;
  readonly owner: string;
  readonly bytes: number;
  readonly secret: string;
  readonly #payload: Descriptor;
  readonly #mapping: Mapping;
  readonly #readers = new Set<GrantedSegment>();
  #ended: { readonly reason: string; readonly kind: EndKind } | null = null;
  #onEnd: ((reason: string, kind: EndKind) => void) | null = null;

  private constructor(reply: SegmentReply, payload: Descriptor, mapping: Mapping) {
    this.segment = reply.segment;
    this.owner = reply.owner;
    this.bytes = reply.bytes;
    this.secret = reply.secret;
    this.#payload = payload;
    this.#mapping = mapping;
  }

  /** Takes the descriptor over: it is closed with the mapping, or now when the segment cannot be mapped. */
  static map(reply: SegmentReply, descriptors: readonly Descriptor[]): ReadMapping {
    const opened: { close(): void }[] = [...descriptors];
    const doing = `mapping segment ${reply.segment}`;
    try {
      const [payload, ...unused] = descriptors;
      // A channel's segment comes with what wakes its owner, which a plain reader has no use for.
      for (const descriptor of unused) descriptor.close();
      if (payload === undefined || reply.access !== 'read-only')
        throw new NautilusError({
          code: 'protocol_violation',
          message: `${doing}: the agent gave ${reply.access} access to a segment of ${reply.owner}`,
        });
      const mapping = mapSegment(payload, { access: 'read-only' });
      opened.push(mapping);
      if (mapping.bytes < reply.bytes)
        throw new NautilusError({
          code: 'protocol_violation',
          message: `${doing}: it has ${mapping.bytes} bytes, announced were ${reply.bytes}`,
        });
      return new ReadMapping(reply, payload, mapping);
    } catch (error) {
      for (const part of opened.reverse()) part.close();
      throw toNautilusError(error, doing);
    }
  }

  get isClosed(): boolean {
    return this.#mapping.closed;
  }

  /** Null while the grant stands. */
  get endReason(): string | null {
    return this.#ended?.reason ?? null;
  }

  get readers(): readonly GrantedSegment[] {
    return [...this.#readers];
  }

  descriptors(): readonly Descriptor[] {
    return [this.#payload];
  }

  attach(reader: GrantedSegment): void {
    this.#readers.add(reader);
  }

  /** True when that was the last reader. */
  detach(reader: GrantedSegment): boolean {
    return this.#readers.delete(reader) && this.#readers.size === 0;
  }

  /** The client's; an end that came before is told at once. */
  onEnd(callback: (reason: string, kind: EndKind) => void): void {
    this.#onEnd = callback;
    if (this.#ended !== null) callback(this.#ended.reason, this.#ended.kind);
  }

  end(reason: string, kind: EndKind): void {
    if (this.#ended !== null) return;
    this.#ended = { reason, kind };
    this.#onEnd?.(reason, kind);
  }

  view(offset: number, length: number): Uint8Array {
    if (this.isClosed) throw alreadyClosed(`segment ${this.segment}`);
    // The mapping is whole pages and may be longer than the segment.
    if (offset + length > this.bytes)
      throw new NautilusError({
        code: 'invalid_request',
        message: `segment ${this.segment} has ${this.bytes} bytes; ${length} from ${offset} on end at ${offset + length}`,
      });
    return translated(`segment ${this.segment}`, () => this.#mapping.view(offset, length));
  }

  /** Views become empty, then the memory is unmapped. Twice is the same as once. */
  close(): void {
    this.#mapping.close();
    this.#payload.close();
  }
}
