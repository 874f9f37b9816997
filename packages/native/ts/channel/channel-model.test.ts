import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { slowPolicies } from './layout.ts';
import type { Message } from './message.ts';
import { type Joined, Rig } from './testing/rig.ts';

interface Watched extends Joined {
  held: Message[];
  /** The sequence that comes next, if nothing is lost. */
  next: number;
  dropped: number;
}

type Step = { kind: 'publish' | 'take' | 'release' | 'join' | 'leave' | 'die' | 'discard'; pick: number };

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.oneof(
    { weight: 8, arbitrary: fc.constant('publish' as const) },
    { weight: 8, arbitrary: fc.constant('take' as const) },
    { weight: 5, arbitrary: fc.constant('release' as const) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('join' as const, 'leave' as const, 'die' as const, 'discard' as const),
    },
  ),
  pick: fc.nat(),
});

const shape = fc.record({
  entries: fc.constantFrom(2, 4, 8),
  frameBytes: fc.constantFrom(1, 24, 64),
  loans: fc.integer({ min: 1, max: 3 }),
  maxSubscribers: fc.integer({ min: 1, max: 4 }),
  maxHeld: fc.integer({ min: 1, max: 4 }),
  policy: fc.constantFrom(...slowPolicies),
  firstSequence: fc.constantFrom(0, 2 ** 31 - 5, -5, 1000),
});

/** What must hold after every step, whatever was done. */
function check(rig: Rig, watched: readonly Watched[], frames: number): void {
  const { free, loaned, inRing, inLimbo } = rig.publisher.stats();
  expect(free + loaned + inRing + inLimbo).toBe(frames);
  for (const { held, subscription } of watched) {
    expect(subscription.held).toBe(held.length);
    // A frame that was used again while it is held says another sequence.
    for (const message of held) expect(rig.isIntact(message)).toBe(true);
  }
}

function take(rig: Rig, one: Watched): void {
  if (one.held.length === rig.publisher.shape.maxHeld) return;
  const message = one.subscription.take();
  const lost = one.subscription.dropped - one.dropped;
  one.dropped += lost;
  if (message === null) {
    expect(lost).toBe(0);
    // Nothing is withheld from who is still in.
    if (one.subscription.ended === null) expect(one.next).toBe(rig.sequence);
    return;
  }
  expect(message.sequence).toBe((one.next + lost) | 0);
  if (rig.publisher.shape.policy !== 'drop-oldest') expect(lost).toBe(0);
  one.next = (message.sequence + 1) | 0;
  one.held.push(message);
}

describe('a channel, whatever its publisher and subscribers do', () => {
  it('delivers what was published, in order, counts every gap, and loses no frame', () => {
    fc.assert(
      fc.property(
        shape,
        fc.nat(8),
        fc.array(step, { minLength: 20, maxLength: 150 }),
        (asked, past, steps) => {
          const rig = new Rig({ ...asked, history: Math.min(past, asked.entries) });
          const frames = asked.entries + asked.loans + asked.maxSubscribers * asked.maxHeld;
          const watched: Watched[] = [];
          const join = () => {
            const joined = rig.join();
            watched.push({ ...joined, held: [], next: joined.startSequence, dropped: 0 });
          };
          const pickOf = <T>(from: readonly T[], pick: number) => from[pick % Math.max(1, from.length)];
          join();
          for (const { kind, pick } of steps) {
            const one = pickOf(watched, pick);
            if (kind === 'publish') {
              const blocks = rig.publisher.shape.policy === 'block';
              const isFull = watched.some(({ next }) => ((rig.sequence - next) | 0) >= asked.entries);
              expect(rig.publish()).toBe(!(blocks && isFull));
            } else if (kind === 'discard') {
              const frame = rig.publisher.loan();
              if (frame !== null) rig.publisher.discard(frame);
            } else if (kind === 'join') {
              if (watched.length < asked.maxSubscribers) join();
            } else if (one !== undefined) {
              if (kind === 'take') take(rig, one);
              else if (kind === 'release')
                one.held.splice(pick % Math.max(1, one.held.length), 1)[0]?.release();
              else {
                // Who dies says nothing; who leaves does, and then is removed as well.
                if (kind === 'leave') one.subscription.leave();
                expect(rig.publisher.remove(one.slot)).toBe(true);
                watched.splice(watched.indexOf(one), 1);
              }
            }
            check(rig, watched, frames);
          }
          for (const { slot } of watched) rig.publisher.remove(slot);
          expect(rig.publisher.stats()).toMatchObject({ loaned: 0, inLimbo: 0 });
          check(rig, [], frames);
        },
      ),
      { numRuns: 300 },
    );
  });
});
