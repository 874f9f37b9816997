// Finds writes through stale and overrunning views: freed blocks rest, poisoned, before their room is used again, and
// canary bytes stand around every live one. For debugging: it touches the payload, takes larger rooms, and keeps
// freed ones; over a stack nothing can rest. Upstream still holds a block that rests, so here its handle is what tells a double free.

import { checkAlignment, checkBytes, checkOffset } from '../check.ts';
import { NativeError } from '../errors.ts';
import { type Allocator, Policy } from './allocator.ts';

const poison = 0xdd;
const canary = 0xfd;

export interface Damage {
  readonly kind: 'before' | 'behind' | 'after_free';
  readonly handle: number;
  /** Of the first damaged byte, in the segment. */
  readonly offset: number;
  readonly expected: number;
  readonly found: number;
}

export interface QuarantineOptions {
  /** The bytes of the segment at a place. */
  readonly view: (offset: number, length: number) => Uint8Array;
  readonly onDamage: (damage: Damage) => void;
  /** Where the arena's own alignment is larger than 64: its smallest. Default 64. */
  readonly minimumAlignment?: number;
  /** At most; a larger block goes back at once. Default 16 MiB. */
  readonly restingBytes?: number;
  /** On each side; in front rounded up to the alignment. Default 16. */
  readonly canaryBytes?: number;
}

interface Guarded {
  readonly bytes: number;
  readonly frontBytes: number;
}

export class Quarantine<Upstream extends Allocator> extends Policy<Upstream> {
  readonly #options: Required<QuarantineOptions>;
  readonly #live = new Map<number, Guarded>();
  /** Oldest first. */
  readonly #resting = new Map<number, Guarded>();
  #restingBytes = 0;

  constructor(upstream: Upstream, options: QuarantineOptions) {
    super(upstream);
    const { restingBytes = 16 * 2 ** 20, canaryBytes = 16, minimumAlignment = 64 } = options;
    checkOffset('restingBytes', restingBytes);
    checkOffset('canaryBytes', canaryBytes);
    checkAlignment('minimumAlignment', minimumAlignment);
    this.#options = { ...options, restingBytes, canaryBytes, minimumAlignment };
  }

  get resting(): { readonly blocks: number; readonly bytes: number } {
    return { blocks: this.#resting.size, bytes: this.#restingBytes };
  }

  /** Rather than fail, it lets blocks that rest go early, oldest first. */
  override allocate(bytes: number, alignment = this.#options.minimumAlignment): number | null {
    checkBytes('bytes', bytes);
    checkAlignment('alignment', alignment);
    const { canaryBytes } = this.#options;
    const frontBytes = Math.ceil(canaryBytes / alignment) * alignment;
    const room = frontBytes + bytes + canaryBytes;
    let handle = super.allocate(room, alignment);
    while (handle === null && this.#letGo()) handle = super.allocate(room, alignment);
    if (handle === null) return null;
    this.#live.set(handle, { bytes, frontBytes });
    const [before, behind] = this.#canaries(handle, { bytes, frontBytes });
    before.fill(canary);
    behind.fill(canary);
    return handle;
  }

  override free(handle: number): void {
    const block = this.#guarded(handle);
    const [before, behind] = this.#canaries(handle, block);
    const start = super.offsetOf(handle);
    const behindAt = start + block.frontBytes + block.bytes;
    const damages = [
      damageOf('before', handle, before, start, canary),
      damageOf('behind', handle, behind, behindAt, canary),
    ];
    this.#live.delete(handle);
    this.#options.view(start, super.lengthOf(handle)).fill(poison);
    this.#resting.set(handle, block);
    this.#restingBytes += super.lengthOf(handle);
    for (const damage of damages) if (damage !== null) this.#options.onDamage(damage);
    while (this.#restingBytes > this.#options.restingBytes && this.#letGo());
  }

  override offsetOf(handle: number): number {
    return this.#guarded(handle).frontBytes + super.offsetOf(handle);
  }

  override lengthOf(handle: number): number {
    return this.#guarded(handle).bytes;
  }

  /** Checks and gives back every block that rests. */
  release(): void {
    while (this.#letGo());
  }

  #letGo(): boolean {
    const oldest = this.#resting.keys().next();
    if (oldest.done) return false;
    const handle = oldest.value;
    const length = super.lengthOf(handle);
    const offset = super.offsetOf(handle);
    const bytes = this.#options.view(offset, length);
    const damage = damageOf('after_free', handle, bytes, offset, poison);
    this.#resting.delete(handle);
    this.#restingBytes -= length;
    super.free(handle);
    // Last, because the callback may throw.
    if (damage !== null) this.#options.onDamage(damage);
    return true;
  }

  #guarded(handle: number): Guarded {
    const block = this.#live.get(handle);
    if (block !== undefined) return block;
    throw new NativeError('unknown_block', `handle ${handle}: no live block of this quarantine has it`);
  }

  #canaries(handle: number, { bytes, frontBytes }: Guarded): [Uint8Array, Uint8Array] {
    const start = super.offsetOf(handle);
    const { view, canaryBytes } = this.#options;
    return [view(start, frontBytes), view(start + frontBytes + bytes, canaryBytes)];
  }
}

function damageOf(
  kind: Damage['kind'],
  handle: number,
  bytes: Uint8Array,
  offset: number,
  expected: number,
): Damage | null {
  const at = bytes.findIndex((byte) => byte !== expected);
  return at < 0 ? null : { kind, handle, offset: offset + at, expected, found: bytes[at] as number };
}
