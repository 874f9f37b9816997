/** The segments of others that this client has open: one mapping a segment, however many opened it. */
import { NautilusError } from '@nautilus/contracts';
import { throwIfCancelled } from './cancellation.ts';
import type { ClientContext } from './context.ts';
import { alreadyClosed } from './faults.ts';
import { GrantedSegment } from './granted-segment.ts';
import { persist } from './patience.ts';
import { ReadMapping } from './read-mapping.ts';
import { redeem } from './redeem.ts';
import { SharedTask } from './shared-task.ts';

export interface OpenOptions {
  readonly signal?: AbortSignal;
  /** Stay mapped after the grant has ended, until `close()`; default false. */
  readonly keepAfterEnd?: boolean;
}

export class Readers {
  readonly #context: ClientContext;
  /** Mappings whose grant stands. */
  readonly #open = new Map<string, ReadMapping>();
  readonly #opening = new Map<string, SharedTask<ReadMapping>>();
  /** Everything that is mapped, ended grants included. */
  readonly #mapped = new Set<ReadMapping>();
  #isClosed = false;

  constructor(context: ClientContext) {
    this.#context = context;
  }

  get count(): number {
    return this.#mapped.size;
  }

  get bytes(): number {
    let sum = 0;
    for (const mapping of this.#mapped) sum += mapping.bytes;
    return sum;
  }

  async open(segment: string, options: OpenOptions = {}): Promise<GrantedSegment> {
    for (;;) {
      if (this.#isClosed) throw alreadyClosed('the client');
      throwIfCancelled(`open ${segment}`, options.signal);
      const mapping = this.#open.get(segment) ?? (await this.#share(segment, options.signal));
      // Another opener may have closed it between its mapping and this line.
      if (!mapping.isClosed) return this.#handle(mapping, options.keepAfterEnd ?? false);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const opening = [...this.#opening.values()].map((task) => task.abort(alreadyClosed('the client')));
    await Promise.all(opening);
    const readers = [...this.#mapped].flatMap((mapping) => mapping.readers);
    await Promise.all(readers.map((reader) => reader.close()));
  }

  #share(segment: string, signal: AbortSignal | undefined): Promise<ReadMapping> {
    let task = this.#opening.get(segment);
    if (task === undefined || task.isOver) {
      const fresh: SharedTask<ReadMapping> = new SharedTask(
        (shared) =>
          this.#map(segment, shared).finally(() => {
            if (this.#opening.get(segment) === fresh) this.#opening.delete(segment);
          }),
        (mapping) => this.#unmap(mapping),
      );
      this.#opening.set(segment, fresh);
      task = fresh;
    }
    return task.join(`open ${segment}`, signal);
  }

  #map(segment: string, signal: AbortSignal): Promise<ReadMapping> {
    const { timing, patienceMs } = this.#context;
    const doing = `open ${segment}`;
    return persist(doing, () => this.#attempt(segment, doing, signal), { timing, patienceMs, signal });
  }

  async #attempt(segment: string, doing: string, signal: AbortSignal): Promise<ReadMapping> {
    const { control, holdings } = this.#context;
    const ticket = await control.open(segment, signal);
    if (ticket.access !== 'read-only')
      throw new NautilusError({
        code: 'invalid_request',
        message: `segment ${segment} is this container's own: use its blocks through pool "${ticket.pool}"`,
      });
    holdings.expect(segment);
    try {
      const { reply, descriptors } = await redeem(this.#context, ticket, signal);
      const mapping = ReadMapping.map(reply, descriptors);
      const reason = holdings.endedEarly(segment);
      if (reason !== null) {
        mapping.close();
        throw new NautilusError({
          code: 'already_released',
          message: `${doing}: the grant ended: ${reason}`,
        });
      }
      this.#adopt(mapping);
      return mapping;
    } finally {
      holdings.forget(segment);
    }
  }

  #adopt(mapping: ReadMapping): void {
    this.#mapped.add(mapping);
    this.#open.set(mapping.segment, mapping);
    this.#context.holdings.add(mapping);
    mapping.onEnd((reason, kind) => {
      if (this.#open.get(mapping.segment) === mapping) this.#open.delete(mapping.segment);
      // The agent does not know it any more: it is not handed back a second time.
      if (kind === 'refused') this.#context.holdings.remove(mapping);
      for (const reader of mapping.readers) reader.end(reason);
      if (kind === 'refused') this.#context.lost({ segment: mapping.segment, reason });
    });
  }

  #handle(mapping: ReadMapping, keepAfterEnd: boolean): GrantedSegment {
    const reader = new GrantedSegment(mapping, {
      keepAfterEnd,
      log: this.#context.log,
      close: async (closing) => {
        if (mapping.detach(closing)) await this.#unmap(mapping);
      },
    });
    if (mapping.endReason !== null) reader.end(mapping.endReason);
    return reader;
  }

  async #unmap(mapping: ReadMapping): Promise<void> {
    const { segment } = mapping;
    const { holdings, link } = this.#context;
    this.#mapped.delete(mapping);
    if (this.#open.get(segment) === mapping) this.#open.delete(segment);
    // An agent that refused it after a restart does not count it.
    const isCounted = holdings.has(mapping);
    holdings.remove(mapping);
    mapping.close();
    // After an ended grant was renewed the segment may be mapped a second time: then this is still a reader.
    if (isCounted && !holdings.holdsSegment(segment)) await link.unmapped(segment);
  }
}
