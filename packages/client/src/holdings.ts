/** Everything that this process has mapped by a right of the agent: what must be handed back when the agent restarts. */
import type { Descriptor } from '@nautilus/native';

/** The agent ended the right, or refused to take the segment back after its restart. */
export type EndKind = 'ended' | 'refused';

export interface Holding {
  readonly segment: string;
  readonly access: 'read-write' | 'read-only';
  readonly bytes: number;
  /** Proves the earlier lease or grant. */
  readonly secret: string;
  /** Payload first; the owner's ledger follows. */
  descriptors(): readonly Descriptor[];
  /** Called at most once. The holding is no longer in the registry, or leaves it by itself. */
  end(reason: string, kind: EndKind): void;
}

export class Holdings implements Iterable<Holding> {
  readonly #holdings = new Set<Holding>();
  /** Segments on their way here, with the reason of an end that overtook them. */
  readonly #expected = new Map<string, string | null>();

  get size(): number {
    return this.#holdings.size;
  }

  [Symbol.iterator](): IterableIterator<Holding> {
    return this.#holdings.values();
  }

  has(holding: Holding): boolean {
    return this.#holdings.has(holding);
  }

  holdsSegment(segment: string): boolean {
    for (const holding of this.#holdings) if (holding.segment === segment) return true;
    return false;
  }

  /** From now until `forget` an end of this segment is remembered, though it is not mapped yet. */
  expect(segment: string): void {
    this.#expected.set(segment, null);
  }

  forget(segment: string): void {
    this.#expected.delete(segment);
  }

  /** The reason when the segment's end overtook it. */
  endedEarly(segment: string): string | null {
    return this.#expected.get(segment) ?? null;
  }

  add(holding: Holding): void {
    this.#holdings.add(holding);
  }

  remove(holding: Holding): void {
    this.#holdings.delete(holding);
  }

  /** The agent says that a segment's lease or grant is over. False when nobody here knows the segment. */
  ended(segment: string, reason: string): boolean {
    let isKnown = this.#expected.has(segment);
    if (isKnown) this.#expected.set(segment, reason);
    for (const holding of [...this.#holdings]) {
      if (holding.segment !== segment) continue;
      isKnown = true;
      holding.end(reason, 'ended');
    }
    return isKnown;
  }
}
